package dev.runcast.mergestream;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;

/**
 * Appends to a partition as part of a transaction that the coordinator has closed already: what is left where a broker
 * forgets to tell a partition. No client does this, hence by hand, and the broker must not verify transactions.
 */
final class RawTransaction {
    /** The last that does not add the partition to the transaction by itself. */
    private static final short VERSION = 11;

    private RawTransaction() {}

    static void append(
            String bootstrapServers, TopicPartition partition, long producerId, short epoch, byte[] key, byte[] value)
            throws IOException {
        TopicProduceData topic = new TopicProduceData().setName(partition.topic());
        topic.partitionData()
                .add(new PartitionProduceData()
                        .setIndex(partition.partition())
                        .setRecords(MemoryRecords.withTransactionalRecords(
                                Compression.NONE, producerId, epoch, 0, new SimpleRecord(key, value))));
        ProduceRequestData request = new ProduceRequestData()
                .setTransactionalId("raw")
                .setAcks((short) -1)
                .setTimeoutMs(5000)
                .setTopicData(new TopicProduceDataCollection(List.of(topic).iterator()));
        // Only this name may write to topics of Kafka's own.
        RequestHeader header = new RequestHeader(ApiKeys.PRODUCE, VERSION, "__admin_client", 1);
        ByteBuffer bytes = RequestUtils.serialize(header.data(), header.headerVersion(), request, VERSION);
        int colon = bootstrapServers.lastIndexOf(':');
        try (Socket socket = new Socket(
                        bootstrapServers.substring(0, colon), Integer.parseInt(bootstrapServers.substring(colon + 1)));
                DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                DataInputStream in = new DataInputStream(socket.getInputStream())) {
            socket.setSoTimeout(10_000);
            out.writeInt(bytes.remaining());
            out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
            out.flush();
            byte[] answer = new byte[in.readInt()];
            in.readFully(answer);
            ProduceResponse response =
                    (ProduceResponse) AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
            assertThat(response.errorCounts()).containsOnlyKeys(Errors.NONE);
        }
    }
}
