package dev.runcast.merge;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.properties.HasName;
import com.tngtech.archunit.core.domain.properties.HasOwner;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.ByteArrayOutputStream;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * The merge gives the same answer on any machine, at any time, in any later build. So it may use the language, the
 * contract and nothing that differs between two runs. What review has left to see: no result may depend on the order
 * of a {@code HashMap} or {@code HashSet}.
 */
class MergePurityTest {
    private static final JavaClasses MERGE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.runcast.merge");

    private static final DescribedPredicate<JavaClass> JDK_AND_CONTRACT = resideInAnyPackage(
            "dev.runcast.merge..",
            "dev.runcast.v1..",
            "dev.runcast.state.v1..",
            "com.google.protobuf..",
            "org.jspecify.annotations..",
            "java.lang..",
            "java.math..",
            "java.nio", // buffers
            "java.nio.charset..",
            "java.security..", // message digests
            "java.text..",
            "java.time..",
            "java.util..");

    /** Parts of the packages above that reach outside or differ between two runs. */
    private static final DescribedPredicate<JavaClass> OUTSIDE_WORLD = resideInAnyPackage(
                    "java.lang.management..",
                    "java.lang.foreign..",
                    "java.util.concurrent..",
                    "java.util.jar..",
                    "java.util.logging..",
                    "java.util.prefs..",
                    "java.util.zip..")
            .or(belongToAnyOf(
                    Clock.class,
                    InstantSource.class,
                    Thread.class,
                    ThreadLocal.class,
                    Process.class,
                    ProcessBuilder.class,
                    Runtime.class,
                    java.security.SecureRandom.class,
                    java.util.Random.class,
                    java.util.SplittableRandom.class,
                    java.util.Scanner.class,
                    java.util.Timer.class,
                    java.util.TimeZone.class,
                    java.util.WeakHashMap.class,
                    java.util.IdentityHashMap.class))
            .or(type(java.util.random.RandomGenerator.class));

    /** Calls on harmless classes that are not functions of their arguments. */
    private static final Map<String, Set<String>> NOT_FUNCTIONS = Map.ofEntries(
            Map.entry(
                    "java.lang.System",
                    Set.of(
                            "currentTimeMillis",
                            "nanoTime",
                            "identityHashCode",
                            "getenv",
                            "getProperty",
                            "getProperties",
                            "getLogger",
                            "exit",
                            "load",
                            "loadLibrary")),
            Map.entry("java.lang.Math", Set.of("random")),
            Map.entry("java.util.Collections", Set.of("shuffle")),
            Map.entry("java.util.UUID", Set.of("randomUUID")),
            Map.entry("java.util.Locale", Set.of("getDefault")),
            Map.entry("java.nio.charset.Charset", Set.of("defaultCharset")),
            Map.entry("java.time.ZoneId", Set.of("systemDefault")),
            Map.entry("java.time.Instant", Set.of("now")),
            Map.entry("java.time.LocalDate", Set.of("now")),
            Map.entry("java.time.LocalTime", Set.of("now")),
            Map.entry("java.time.LocalDateTime", Set.of("now")),
            Map.entry("java.time.OffsetDateTime", Set.of("now")),
            Map.entry("java.time.ZonedDateTime", Set.of("now")),
            // An enum's and an object's own hash differ from run to run.
            Map.entry("java.lang.Object", Set.of("hashCode", "wait", "notify", "notifyAll")),
            Map.entry("java.lang.Enum", Set.of("hashCode")),
            Map.entry("java.util.stream.Stream", Set.of("parallel")),
            Map.entry("java.util.Collection", Set.of("parallelStream")));

    private static final ArchRule ONLY_JDK_AND_CONTRACT = classes()
            .should()
            .onlyDependOnClassesThat(JDK_AND_CONTRACT.and(not(OUTSIDE_WORLD)))
            .because(
                    "the merge is a function of (state, update): pass what it needs as an argument (time is received_at"
                            + " in the batch, records come from the state reader), and do I/O, logging and threads in the service"
                            + " that calls it");

    private static final ArchRule ONLY_FUNCTIONS = noClasses()
            .should()
            .callCodeUnitWhere(new DescribedPredicate<>("the target's answer differs from run to run") {
                @Override
                public boolean test(JavaCall<?> call) {
                    return NOT_FUNCTIONS
                            .getOrDefault(call.getTargetOwner().getName(), Set.of())
                            .contains(call.getName());
                }
            })
            .because(
                    "the same log must give the same changes on any machine: time is received_at in the batch, ids come"
                            + " from the writer, and what is hashed is hashed by content (StateKeys, TextHash)");

    private static final ArchRule NO_CONSOLE = noClasses()
            .should()
            .accessFieldWhere(
                    JavaAccess.Predicates.target(HasOwner.Predicates.With.<JavaClass>owner(type(System.class)))
                            .and(JavaAccess.Predicates.target(HasName.Predicates.nameMatching("in|out|err"))))
            .because("a refusal is a value (Outcome.Rejected with its reason), not a line on the console");

    private static final ArchRule NO_STATE_BETWEEN_CALLS = fields().that()
            .areStatic()
            .should()
            .beFinal()
            .because("what the merge remembers is in the state it is given and returns, never in the class");

    @Test
    void usesOnlyTheLanguageAndTheContract() {
        ONLY_JDK_AND_CONTRACT.check(MERGE);
    }

    @Test
    void callsNothingThatDiffersFromRunToRun() {
        ONLY_FUNCTIONS.check(MERGE);
    }

    @Test
    void writesNothingToTheConsole() {
        NO_CONSOLE.check(MERGE);
    }

    @Test
    void keepsNothingBetweenTwoCalls() {
        NO_STATE_BETWEEN_CALLS.check(MERGE);
    }

    @Test
    void theRulesFindWhatTheyForbid() {
        JavaClasses impure = new ClassFileImporter().importClasses(Impure.class);
        for (ArchRule rule : Set.of(ONLY_JDK_AND_CONTRACT, ONLY_FUNCTIONS, NO_CONSOLE, NO_STATE_BETWEEN_CALLS)) {
            assertThatThrownBy(() -> rule.check(impure)).isInstanceOf(AssertionError.class);
        }
        assertThat(ONLY_FUNCTIONS.evaluate(impure).getFailureReport().getDetails())
                .anyMatch(line -> line.contains("Instant.now"))
                .anyMatch(line -> line.contains("System.nanoTime"));
        assertThat(ONLY_JDK_AND_CONTRACT.evaluate(impure).getFailureReport().getDetails())
                .anyMatch(line -> line.contains("java.io.ByteArrayOutputStream"))
                .anyMatch(line -> line.contains("java.lang.Thread"));
    }

    /** Everything the merge may not do. */
    static final class Impure {
        static int calls;

        static long everything() {
            calls++;
            System.out.println(new ByteArrayOutputStream().size());
            return Instant.now().toEpochMilli()
                    + System.nanoTime()
                    + Thread.currentThread().getPriority();
        }

        private Impure() {}
    }
}
