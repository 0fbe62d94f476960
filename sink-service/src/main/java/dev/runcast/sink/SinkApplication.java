package dev.runcast.sink;

import dev.runcast.store.ChangeBell;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.store.redis.RedisChangeBell;
import dev.runcast.topics.KafkaSettings;
import dev.runcast.topics.Topic;
import dev.runcast.topics.TopicAdministration;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.InstantSource;
import java.util.Map;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.EndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.jackson.JacksonEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.web.WebEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementContextAutoConfiguration;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.availability.ApplicationAvailabilityAutoConfiguration;
import org.springframework.boot.autoconfigure.context.ConfigurationPropertiesAutoConfiguration;
import org.springframework.boot.autoconfigure.context.LifecycleAutoConfiguration;
import org.springframework.boot.autoconfigure.context.PropertyPlaceholderAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.AvailabilityProbesAutoConfiguration;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.HealthEndpointAutoConfiguration;
import org.springframework.boot.health.autoconfigure.application.AvailabilityHealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.registry.HealthContributorRegistryAutoConfiguration;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.http.codec.autoconfigure.CodecsAutoConfiguration;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsEndpointAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.jvm.JvmMetricsAutoConfiguration;
import org.springframework.boot.reactor.netty.autoconfigure.NettyReactiveWebServerAutoConfiguration;
import org.springframework.boot.webflux.autoconfigure.HttpHandlerAutoConfiguration;
import org.springframework.boot.webflux.autoconfigure.WebFluxAutoConfiguration;
import org.springframework.boot.webflux.autoconfigure.actuate.endpoint.web.WebFluxHealthEndpointExtensionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;

/**
 * The sink as a service: the feeds to MongoDB and Redis. What it is made of is listed here instead of being found on
 * the classpath, because all services can share one classpath and one JVM.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableConfigurationProperties({KafkaSettings.class, MongoAccess.class, RedisAccess.class, SinkSettings.class})
@ImportAutoConfiguration({
    ApplicationAvailabilityAutoConfiguration.class,
    AvailabilityHealthContributorAutoConfiguration.class,
    AvailabilityProbesAutoConfiguration.class,
    CodecsAutoConfiguration.class,
    CompositeMeterRegistryAutoConfiguration.class,
    ConfigurationPropertiesAutoConfiguration.class,
    EndpointAutoConfiguration.class,
    HealthContributorAutoConfiguration.class,
    HealthContributorRegistryAutoConfiguration.class,
    HealthEndpointAutoConfiguration.class,
    HttpHandlerAutoConfiguration.class,
    JacksonAutoConfiguration.class,
    JacksonEndpointAutoConfiguration.class,
    JvmMetricsAutoConfiguration.class,
    LifecycleAutoConfiguration.class,
    ManagementContextAutoConfiguration.class,
    MetricsAutoConfiguration.class,
    MetricsEndpointAutoConfiguration.class,
    NettyReactiveWebServerAutoConfiguration.class,
    PropertyPlaceholderAutoConfiguration.class,
    SimpleMetricsExportAutoConfiguration.class,
    WebEndpointAutoConfiguration.class,
    WebFluxAutoConfiguration.class,
    WebFluxHealthEndpointExtensionAutoConfiguration.class,
})
public class SinkApplication {
    /** Under this name the service's defaults and an operator's file are found: {@code sink-service.properties}. */
    public static final String CONFIG_NAME = "sink-service";

    /** Starts the service, or does what {@code runcast.sink.mode} says and ends. */
    public static void main(String[] args) {
        if (RebuildApplication.isAsked(args)) {
            System.exit(RebuildApplication.run(args));
        }
        builder().run(args);
    }

    /** For whoever runs it beside other services in one JVM; more properties may be added. */
    public static SpringApplicationBuilder builder() {
        return new SpringApplicationBuilder(SinkApplication.class)
                .properties(Map.of("spring.config.name", CONFIG_NAME, "spring.main.banner-mode", "off"));
    }

    @Bean
    MongoExecutionStore executionStore(MongoAccess mongo) {
        return MongoExecutionStore.connect(mongo.settings());
    }

    @Bean
    RedisChangeBell changeBell(RedisAccess redis) {
        return RedisChangeBell.connect(redis.settings());
    }

    @Bean
    Feeds feeds(KafkaSettings kafka, SinkSettings settings) {
        if (settings.mode() != SinkSettings.Mode.SERVE) {
            throw new IllegalArgumentException(
                    "runcast.sink.mode: %s in a file (expected: as an argument or as RUNCAST_SINK_MODE)"
                            .formatted(settings.mode()));
        }
        TopicAdministration.ensure(kafka.clients(), kafka.layout(), kafka.timeout());
        return new Feeds(kafka, settings);
    }

    @Bean
    FeedProgress mongoProgress(MeterRegistry registry) {
        return new FeedProgress("mongo", InstantSource.system(), registry);
    }

    @Bean
    FeedProgress rejectedProgress(MeterRegistry registry) {
        return new FeedProgress("rejected", InstantSource.system(), registry);
    }

    @Bean
    FeedProgress redisProgress(MeterRegistry registry) {
        return new FeedProgress("redis", InstantSource.system(), registry);
    }

    @Bean
    ConcurrentMessageListenerContainer<byte[], byte[]> mongoFeed(
            Feeds feeds, ExecutionStore store, @Qualifier("mongoProgress") FeedProgress progress) {
        return feeds.durable("mongo", Topic.CHANGES, new MongoSink(store, progress, InstantSource.system()));
    }

    @Bean
    ConcurrentMessageListenerContainer<byte[], byte[]> rejectedFeed(
            Feeds feeds, ExecutionStore store, @Qualifier("rejectedProgress") FeedProgress progress) {
        return feeds.durable("rejected", Topic.REJECTED, new RejectedSink(store, progress, InstantSource.system()));
    }

    @Bean
    ConcurrentMessageListenerContainer<byte[], byte[]> redisFeed(
            Feeds feeds,
            ChangeBell bell,
            SinkSettings settings,
            RedisAccess redis,
            @Qualifier("redisProgress") FeedProgress progress) {
        return feeds.live(
                "redis",
                Topic.CHANGES,
                new RedisPublisher(
                        bell,
                        progress,
                        InstantSource.system(),
                        settings.maxLiveLag(),
                        redis.timeout().plusSeconds(1)));
    }

    @Bean
    HealthIndicator mongoFeedAliveHealthIndicator(
            @Qualifier("mongoFeed") ConcurrentMessageListenerContainer<byte[], byte[]> container) {
        return SinkHealth.liveness(container);
    }

    @Bean
    HealthIndicator rejectedFeedAliveHealthIndicator(
            @Qualifier("rejectedFeed") ConcurrentMessageListenerContainer<byte[], byte[]> container) {
        return SinkHealth.liveness(container);
    }

    @Bean
    HealthIndicator redisFeedAliveHealthIndicator(
            @Qualifier("redisFeed") ConcurrentMessageListenerContainer<byte[], byte[]> container) {
        return SinkHealth.liveness(container);
    }

    @Bean
    HealthIndicator mongoFeedHealthIndicator(@Qualifier("mongoProgress") FeedProgress progress) {
        return SinkHealth.readiness(progress);
    }

    @Bean
    HealthIndicator rejectedFeedHealthIndicator(@Qualifier("rejectedProgress") FeedProgress progress) {
        return SinkHealth.readiness(progress);
    }

    @Bean
    HealthIndicator redisFeedHealthIndicator(@Qualifier("redisProgress") FeedProgress progress) {
        return SinkHealth.readiness(progress);
    }
}
