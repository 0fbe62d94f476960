package dev.runcast.api;

import dev.runcast.api.control.ExecutionControl;
import dev.runcast.api.control.ExecutionCreation;
import dev.runcast.api.control.KafkaUpdateLog;
import dev.runcast.api.control.Requests;
import dev.runcast.api.control.UpdateLog;
import dev.runcast.api.door.ExecutionDoor;
import dev.runcast.api.door.GrpcServer;
import dev.runcast.api.door.HttpFailures;
import dev.runcast.api.door.HttpRoutes;
import dev.runcast.api.door.PrincipalFilter;
import dev.runcast.api.read.ExecutionReader;
import dev.runcast.api.watch.WatchService;
import dev.runcast.doors.Callers;
import dev.runcast.doors.MetadataLimit;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.store.redis.RedisChangeBell;
import dev.runcast.store.redis.RedisSettings;
import dev.runcast.topics.KafkaSettings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.InstantSource;
import java.util.Map;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.actuate.autoconfigure.endpoint.EndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.jackson.JacksonEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.web.WebEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementContextAutoConfiguration;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.availability.ApplicationAvailabilityAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
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
import org.springframework.boot.http.codec.autoconfigure.CodecsAutoConfiguration;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.reactor.netty.NettyReactiveWebServerFactory;
import org.springframework.boot.reactor.netty.autoconfigure.NettyReactiveWebServerAutoConfiguration;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.webflux.autoconfigure.HttpHandlerAutoConfiguration;
import org.springframework.boot.webflux.autoconfigure.WebFluxAutoConfiguration;
import org.springframework.boot.webflux.autoconfigure.actuate.endpoint.web.WebFluxHealthEndpointExtensionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.http.client.ReactorResourceFactory;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.ServerResponse;

/**
 * The people's door as a service. What it is made of is listed here instead of being found on the classpath, because
 * all services can share one classpath and one JVM.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableConfigurationProperties({ApiSettings.class, KafkaSettings.class, MongoAddress.class, RedisAddress.class})
@ImportAutoConfiguration({
    ApplicationAvailabilityAutoConfiguration.class,
    AvailabilityHealthContributorAutoConfiguration.class,
    AvailabilityProbesAutoConfiguration.class,
    CodecsAutoConfiguration.class,
    ConfigurationPropertiesAutoConfiguration.class,
    EndpointAutoConfiguration.class,
    HealthContributorAutoConfiguration.class,
    HealthContributorRegistryAutoConfiguration.class,
    HealthEndpointAutoConfiguration.class,
    HttpHandlerAutoConfiguration.class,
    JacksonAutoConfiguration.class,
    JacksonEndpointAutoConfiguration.class,
    LifecycleAutoConfiguration.class,
    ManagementContextAutoConfiguration.class,
    NettyReactiveWebServerAutoConfiguration.class,
    PropertyPlaceholderAutoConfiguration.class,
    WebEndpointAutoConfiguration.class,
    WebFluxAutoConfiguration.class,
    WebFluxHealthEndpointExtensionAutoConfiguration.class,
})
public class ApiApplication {
    /** Under this name the service's defaults and an operator's file are found: {@code api-service.properties}. */
    public static final String CONFIG_NAME = "api-service";

    /** Starts the service. */
    public static void main(String[] args) {
        builder().run(args);
    }

    /** For whoever runs it beside other services in one JVM; more properties may be added. */
    public static SpringApplicationBuilder builder() {
        return new SpringApplicationBuilder(ApiApplication.class)
                .web(WebApplicationType.REACTIVE)
                .properties(Map.of("spring.config.name", CONFIG_NAME, "spring.main.banner-mode", "off"));
    }

    @Bean
    Callers callers(ApiSettings settings) {
        return Callers.configured(settings.tokenFile(), bind(settings), InstantSource.system());
    }

    /** Whoever runs the door in a JVM of its own may bring another store. */
    @Bean
    @ConditionalOnMissingBean
    ExecutionStore executionStore(MongoAddress mongo) {
        return MongoExecutionStore.connect(mongo.settings());
    }

    @Bean
    @ConditionalOnMissingBean
    ChangeBell changeBell(RedisAddress redis) {
        return RedisChangeBell.connect(RedisSettings.of(redis.uri()));
    }

    @Bean
    ExecutionReader executionReader(ExecutionStore store, ApiSettings settings) {
        return new ExecutionReader(store, settings.storeTimeout());
    }

    @Bean
    WatchService watchService(ExecutionStore store, ChangeBell bell, ApiSettings settings) {
        return new WatchService(
                store, bell, settings.watch().settings(settings.storeTimeout()), InstantSource.system());
    }

    /** Whoever runs the door without Kafka may bring another log. */
    @Bean
    @ConditionalOnMissingBean
    UpdateLog updateLog(KafkaSettings kafka, ApiSettings settings) {
        return new KafkaUpdateLog(kafka, settings.deliveryTimeout(), InstantSource.system());
    }

    @Bean
    Requests requests(UpdateLog log, ExecutionStore store, ChangeBell bell, ApiSettings settings) {
        return new Requests(log, store, bell, settings.askEvery(), settings.answerTimeout());
    }

    @Bean
    ExecutionCreation executionCreation(Requests requests, ExecutionStore store, ApiSettings settings) {
        return new ExecutionCreation(requests, store, settings.storeTimeout(), settings.answerTimeout());
    }

    @Bean
    ExecutionControl executionControl(Requests requests, ExecutionStore store, ApiSettings settings) {
        return new ExecutionControl(requests, store, settings.storeTimeout(), InstantSource.system());
    }

    @Bean
    ExecutionDoor executionDoor(
            ExecutionReader reader, WatchService watches, ExecutionCreation creation, ExecutionControl control) {
        return new ExecutionDoor(reader, watches, creation, control);
    }

    @Bean
    GrpcServer grpcServer(ApiSettings settings, Callers callers, ExecutionDoor door, WatchService watches) {
        return new GrpcServer(
                new InetSocketAddress(bind(settings), settings.grpcPort()),
                settings.reflection(),
                callers,
                door,
                watches);
    }

    /** Its own threads: those that Reactor shares by default end for all in the JVM when the first one closes. */
    @Bean
    ReactorResourceFactory reactorResources() {
        ReactorResourceFactory resources = new ReactorResourceFactory();
        resources.setUseGlobalResources(false);
        return resources;
    }

    /** What is too long in an address or its headers is received and refused by name, which the server cannot. */
    @Bean
    WebServerFactoryCustomizer<NettyReactiveWebServerFactory> longRequests() {
        return factory -> factory.addServerCustomizers(
                server -> server.httpRequestDecoder(read -> read.maxInitialLineLength(MetadataLimit.TRANSPORT_BYTES)
                        .maxHeaderSize(MetadataLimit.TRANSPORT_BYTES)));
    }

    @Bean
    HttpRoutes httpRoutes(
            ExecutionReader reader, WatchService watches, ExecutionCreation creation, ExecutionControl control) {
        return new HttpRoutes(reader, watches, creation, control);
    }

    @Bean
    RouterFunction<ServerResponse> router(HttpRoutes routes) {
        return routes.router();
    }

    @Bean
    PrincipalFilter principalFilter(Callers callers, HttpRoutes routes) {
        return new PrincipalFilter(callers, routes);
    }

    @Bean
    HttpFailures httpFailures() {
        return new HttpFailures();
    }

    private static InetAddress bind(ApiSettings settings) {
        try {
            return InetAddress.getByName(settings.address());
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(
                    "runcast.api.address: %s (expected: an address of this machine)".formatted(settings.address()), e);
        }
    }
}
