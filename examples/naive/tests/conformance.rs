//! The naive backend certified, and what its plain sums are known to get wrong.

use half::f16;
use lossmith_conformance::conformance;
use lossmith_core::{Format, Reference, catalogue};
use lossmith_naive::Naive;

conformance!(
    in_f64,
    Naive::<f64>::new(),
    Format::F64,
    expected_failures = [
        "fold_sum: a long sum",
        "many_classes: cross_entropy",
        "edges: cross_entropy 13, 66",
        "reduce_sum: a long sum",
        "many_rows: cross_entropy",
    ]
);
conformance!(
    in_f16,
    Naive::<f16>::new(),
    Format::F16,
    expected_failures = [
        "fold_sum: a long sum",
        "fold_sum: ones",
        "fold_sum: too large on the way",
        "fold_sum: not narrowed",
        "golden: hinge_embedding rank2-margin0.25-mean-sample",
        "golden: hinge_embedding rank2-margin-0.5-mean",
        "golden: hinge_embedding rank3-margin0.25-sum",
        "golden: hinge_embedding rank4-sum",
        "many_classes: cross_entropy",
        "many_classes: multi_margin",
        "many_rows: cross_entropy",
        "many_rows: mse",
        "edges: cross_entropy 12",
        "edges: cross_entropy 13, 66",
        "edges: l1 14c",
        "edges: l1 60",
        "reduce_sum: a long sum",
        "reduce_sum: ones",
        "reduce_sum: too large on the way",
        "samples: binary_cross_entropy BCELoss 0",
        "samples: cross_entropy CrossEntropyLoss 12",
        "samples: cross_entropy SoftmaxCrossEntropyLoss 24",
        "samples: hinge_embedding hinge_embedding_loss 7",
        "samples: hinge_embedding hinge_embedding_loss 8",
        "samples: huber HuberLoss 1",
        "samples: huber HuberLoss 2",
        "samples: l1 l1_loss 5",
        "samples: mse MSELoss 0",
        "samples: mse MSELoss 4",
        "samples: mse mse_loss 5",
        "samples: nll NLLLoss 18",
        "samples: nll NLLLoss 21",
        "samples: nll NLLLoss 26",
        "samples: nll NegativeLogLikelihoodLoss 13",
        "samples: nll NegativeLogLikelihoodLoss 5",
        "samples: poisson_nll PoissonNLLLoss 4",
        "samples: poisson_nll poisson_nll_loss 56",
        "samples: poisson_nll poisson_nll_loss 58",
    ]
);

#[test]
fn what_it_runs_is_known_before_a_run() {
    let naive = catalogue::support(&Naive::<f32>::new());
    assert_eq!(naive.matmul_adds, ["linear_cross_entropy", "adaptive_log_softmax"]);
    let total = catalogue::all().len();
    assert_eq!(naive.take_adds, ["ctc"]);
    let said = format!(
        "{} of {total}; matmul adds 2 (linear_cross_entropy, adaptive_log_softmax); take adds 1 (ctc)",
        total - 3
    );
    assert_eq!(naive.to_string(), said);
    assert_eq!(catalogue::support(&Reference).to_string(), format!("{total} of {total}"));
}
