package dev.runcast.local;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Who may know whom. The table is the picture of the path: data flows down it, knowledge only up. */
class ModuleEdgesTest {
    private static final String CONTRACT = "dev.runcast.v1..,dev.runcast.state..,dev.runcast.spool.v1..";

    /** Module: its packages, and the modules it may use. */
    private static final Map<String, List<String>> MAY_USE = new LinkedHashMap<>();

    private static final Map<String, String> PACKAGES = new LinkedHashMap<>();

    static {
        module("proto", CONTRACT);
        module("merge-core", "dev.runcast.merge..", "proto");
        module("topics", "dev.runcast.topics..", "proto", "merge-core");
        module("doors", "dev.runcast.doors..", "proto");
        module("store", "dev.runcast.store..", "proto", "merge-core");
        module("embedded-servers", "dev.runcast.embedded..");
        module("runner-client", "dev.runcast.runner..", "proto");
        module("recordings", "dev.runcast.recording..", "proto");
        module("ingest-service", "dev.runcast.ingest..", "proto", "merge-core", "topics", "doors");
        module("merge-stream", "dev.runcast.mergestream..", "proto", "merge-core", "topics");
        module("sink-service", "dev.runcast.sink..", "proto", "merge-core", "topics", "store");
        module("api-service", "dev.runcast.api..", "proto", "merge-core", "topics", "doors", "store");
        module("workflow-api", "dev.runcast.workflow..");
        module(
                "workflow-worker",
                "dev.runcast.worker..",
                "proto",
                "merge-core",
                "topics",
                "runner-client",
                "recordings",
                "workflow-api");
        module("cli", "dev.runcast.cli..", "proto", "merge-core", "runner-client", "recordings");
    }

    private static void module(String name, String packages, String... mayUse) {
        PACKAGES.put(name, packages);
        MAY_USE.put(name, List.of(mayUse));
    }

    /** A library that is one module's business, and who else may name it. */
    private static final Map<String, List<String>> LIBRARIES = Map.of(
            "com.mongodb..,org.bson..", List.of("store", "embedded-servers"),
            "io.lettuce..", List.of("store", "embedded-servers"),
            "org.apache.kafka.streams..", List.of("merge-stream"),
            "org.apache.kafka..",
                    List.of(
                            "topics",
                            "embedded-servers",
                            "ingest-service",
                            "merge-stream",
                            "sink-service",
                            "api-service",
                            "workflow-worker"),
            "kafka..,de.bwaldvogel..,redis.embedded..", List.of("embedded-servers"),
            "io.temporal..", List.of("embedded-servers", "workflow-api", "workflow-worker"),
            "org.springframework..",
                    List.of(
                            "topics",
                            "doors",
                            "ingest-service",
                            "merge-stream",
                            "sink-service",
                            "api-service",
                            "workflow-worker"),
            "picocli..,org.jline..", List.of("cli"));

    private static final JavaClasses ALL = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.runcast");

    static Stream<Arguments> forbiddenEdges() {
        return PACKAGES.keySet().stream()
                .flatMap(from -> Stream.concat(PACKAGES.keySet().stream(), Stream.of("local-stack"))
                        .filter(to -> !to.equals(from) && !MAY_USE.get(from).contains(to))
                        .map(to -> arguments(from, to)));
    }

    static Stream<Arguments> libraries() {
        return LIBRARIES.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(entry -> arguments(entry.getKey(), entry.getValue()));
    }

    @ParameterizedTest(name = "{0} does not use {1}")
    @MethodSource("forbiddenEdges")
    void noModuleUsesAnotherAgainstTheFlow(String from, String to) {
        noClasses()
                .that(packagesOf(from))
                .should()
                .dependOnClassesThat(packagesOf(to))
                .because(from + " may use only " + MAY_USE.get(from) + ": what it needs of " + to
                        + " travels as a message of the contract, over a topic or through the store; what both need"
                        + " belongs to a module above both")
                .allowEmptyShould(true)
                .check(ALL);
    }

    @ParameterizedTest(name = "{0} only in {1}")
    @MethodSource("libraries")
    void everyLibraryStaysWhereItBelongs(String library, List<String> allowed) {
        List<String> owners =
                Stream.concat(allowed.stream(), Stream.of("local-stack")).toList();
        noClasses()
                .that(not(packagesOf(owners.toArray(String[]::new))))
                .should()
                .dependOnClassesThat(resideInAnyPackage(library.split(",")))
                .because(library + " is the business of " + owners
                        + ": call what they offer, or add there what is missing")
                .check(ALL);
    }

    @Test
    void onlyTheStreamAndARebuildMerge() {
        noClasses()
                .that(not(packagesOf("merge-core", "merge-stream", "sink-service")))
                .should()
                .callMethodWhere(target(owner(name("dev.runcast.merge.Merge"))).and(target(name("apply"))))
                .because(
                        "the log is the only input: append an update to it and read what became of it from the changes")
                .check(ALL);
    }

    @Test
    void everyClassBelongsToAModule() {
        String[] modules = Stream.concat(PACKAGES.keySet().stream(), Stream.of("local-stack"))
                .toArray(String[]::new);
        assertThat(ALL.stream().filter(not(packagesOf(modules))).map(JavaClass::getName))
                .as("classes in a package that is in no module's row: add the module to the table above")
                .isEmpty();
        assertThat(PACKAGES.keySet()).allSatisfy(module -> assertThat(
                        ALL.stream().filter(packagesOf(module)).count())
                .as("classes of %s", module)
                .isPositive());
    }

    @Test
    void namesSayWhatAClassIs() {
        noClasses()
                .that(not(packagesOf("proto")))
                .should()
                .haveSimpleNameEndingWith("Manager")
                .orShould()
                .haveSimpleNameEndingWith("Helper")
                .orShould()
                .haveSimpleNameEndingWith("Helpers")
                .orShould()
                .haveSimpleNameEndingWith("Util")
                .orShould()
                .haveSimpleNameEndingWith("Utils")
                .because("such a name says where code was put, not what it is: name the thing it does or holds")
                .check(ALL);
    }

    private static DescribedPredicate<JavaClass> packagesOf(String... modules) {
        return resideInAnyPackage(Arrays.stream(modules)
                .map(module -> PACKAGES.getOrDefault(module, "dev.runcast.local.."))
                .flatMap(packages -> Arrays.stream(packages.split(",")))
                .toArray(String[]::new));
    }
}
