package ai.epitome.tensor.backend;

import ai.epitome.tensor.VectorMathTest;
import ai.epitome.tensor.autograd.Bf16OperationTest;
import ai.epitome.tensor.autograd.OperationGradientTest;

/// Says what the kernels run on, and checks them: a program for Java virtual machines with other registers.
final class RegisterWidthProbe {
    private RegisterWidthProbe() {}

    public static void main(String[] arguments) {
        MatrixProduct product = new VectorProduct();
        System.out.println(product.describe());
        var products = new MatrixProductTest();
        products.nothingBesidesTheWindowIsWritten(product);
        products.aSumOfNothingIsZero(product);
        new VectorMathTest().extremesAreExact();
        new VectorMathTest().sumAddsEveryLaneOnce();
        var operations = new OperationGradientTest();
        operations.linear();
        operations.norms();
        operations.rotaryWithAndWithoutNorm();
        operations.tokenLosses();
        var bf16 = new Bf16OperationTest();
        bf16.geluAgreesWithF32();
        bf16.attentionAgreesAtItsEdges();
    }
}
