//! What the sigmoids and softpluses of ±x have in common: e^−|x|, and ln(1 + e^−|x|).

use crate::lower::Lowering;
use crate::program::Op;
use lossmith_core::graph::Node;
use lossmith_core::op::Unary;
use std::collections::BTreeMap;

/// Which of some values share it, and where it is once it is made.
pub(crate) struct Tails<A> {
    /// The x of each that has it in common with another.
    of: BTreeMap<usize, usize>,
    made: BTreeMap<usize, [Option<A>; 2]>,
}

impl<A: Copy> Tails<A> {
    pub(crate) fn new(lowering: &Lowering, values: impl Iterator<Item = usize>) -> Self {
        let base = |index: usize| {
            let Node::Unary(Unary::Sigmoid | Unary::Softplus, x) = lowering.nodes[index].0 else {
                return None;
            };
            let x = lowering.alias[x.index()];
            let Node::Unary(Unary::Neg, x) = lowering.nodes[x].0 else { return Some(x) };
            Some(lowering.alias[x.index()])
        };
        let bases: Vec<_> = values.filter_map(|index| Some((index, base(index)?))).collect();
        let shared = |x: usize| bases.iter().filter(|(_, other)| *other == x).count() > 1;
        let of = bases.iter().copied().filter(|&(_, x)| shared(x)).collect();
        Self { of, made: BTreeMap::new() }
    }

    /// The op of a value, by what it shares where it does, which `make` makes the first time.
    pub(crate) fn op(
        &mut self,
        index: usize,
        op: Op<A>,
        mut make: impl FnMut(Op<A>) -> A,
    ) -> Op<A> {
        let (Op::Unary(shared, x), Some(base)) = (op, self.of.get(&index)) else { return op };
        let [tail, log] = self.made.entry(*base).or_default();
        let tail = *tail.get_or_insert_with(|| make(Op::Tail(x)));
        if shared == Unary::Sigmoid {
            return Op::Sigmoid(x, tail);
        }
        Op::Softplus(x, *log.get_or_insert_with(|| make(Op::Log(tail))))
    }
}
