package ai.epitome.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import ai.epitome.model.generation.CompletionModel;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.properties.HasName;
import com.tngtech.archunit.core.domain.properties.HasOwner;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/// The floors of the house: arrows only point downward.
class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("/test/ai/epitome/")) // whatever compiled them
            .importPackages("ai.epitome");

    @Test
    void arrowsPointDownward() {
        forbid("tensor", "text", "model", "train", "compress", "serve", "cli");
        forbid("text", "tensor", "model", "train", "compress", "serve", "cli");
        forbid("model", "train", "compress", "serve", "cli");
        forbid("train", "compress", "serve", "cli");
        forbid("compress", "train", "serve", "cli");
        forbid("serve", "train", "compress", "cli");
    }

    @Test
    void packagesDoNotGoRoundInCircles() {
        slices().matching("ai.epitome.(**)").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void onlyTheMathsStandsOnNativeCode() {
        noClasses()
                .that()
                .resideOutsideOfPackage("ai.epitome.tensor..")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.foreign.Linker")
                .check(CLASSES);
    }

    /// So every route's tokens are counted and held to limits, whoever adds it.
    @Test
    void theServiceGeneratesWhereItIsMetered() {
        noClasses()
                .that()
                .resideInAPackage("ai.epitome.serve..")
                .and()
                .doNotHaveFullyQualifiedName("ai.epitome.serve.metering.RequestMeter")
                .should()
                .callMethodWhere(JavaCall.Predicates.target(HasName.Predicates.name("generate"))
                        .and(JavaCall.Predicates.target(HasOwner.Predicates.With.owner(
                                JavaClass.Predicates.assignableTo(CompletionModel.class)))))
                .check(CLASSES);
    }

    private static void forbid(String from, String... to) {
        for (String module : to) {
            noClasses()
                    .that()
                    .resideInAPackage("ai.epitome." + from + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("ai.epitome." + module + "..")
                    .allowEmptyShould(true)
                    .check(CLASSES);
        }
    }
}
