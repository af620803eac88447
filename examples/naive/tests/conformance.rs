//! What the naive backend gets right, and what it is known to get wrong.

use half::f16;
use lossmith_conformance::conformance;
use lossmith_core::Format;
use lossmith_naive::Naive;

conformance!(in_f64, Naive::<f64>::new(), Format::F64, expected_failures = []);
conformance!(in_f32, Naive::<f32>::new(), Format::F32, expected_failures = []);
conformance!(in_f16, Naive::<f16>::new(), Format::F16, expected_failures = []);
