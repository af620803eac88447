//! The reference, certified by the suite as any backend is.

use lossmith_core::{Format, Reference};

lossmith_conformance::conformance!(reference, Reference, Format::F64);
