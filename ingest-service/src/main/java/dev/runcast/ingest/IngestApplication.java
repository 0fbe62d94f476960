package dev.runcast.ingest;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.InstantSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** The runners' door as a service of its own, or as part of a process that has others. */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableConfigurationProperties({KafkaSettings.class, IngestSettings.class})
public class IngestApplication {
    /** Starts the service; its settings are read from {@code ingest-service.properties} and over it as usual. */
    public static void main(String[] args) {
        SpringApplication application =
                new SpringApplicationBuilder(IngestApplication.class).build();
        application.setDefaultProperties(java.util.Map.of("spring.config.name", "ingest-service"));
        application.run(args);
    }

    @Bean
    IngestServer ingestServer(
            KafkaSettings kafka, IngestSettings settings, ObjectProvider<InstantSource> clock, ObjectProvider<MeterRegistry> meters) {
        return new IngestServer(
                kafka, settings, clock.getIfAvailable(InstantSource::system), meters.getIfAvailable(SimpleMeterRegistry::new));
    }
}
