package dev.runcast.doors;

import io.grpc.BindableService;
import io.grpc.protobuf.services.ProtoReflectionService;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.util.List;

/** gRPC's server reflection, as tools know it: lets them call a door without its {@code .proto} files. */
public final class Reflection {
    private Reflection() {}

    /** New services for one server: version 1, and the alpha before it that Python's client still speaks. */
    @SuppressWarnings("deprecation") // deprecated for servers without old clients
    public static List<BindableService> services() {
        return List.of(ProtoReflectionServiceV1.newInstance(), ProtoReflectionService.newInstance());
    }
}
