//! A loss as a node in candle's autodiff: its place in a graph, its cotangents, and how many arguments it may have.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use candle_core::{DType, Device, Result, Tensor, Var};
use lossmith_candle::{Candle, Engine, Forward, Fused, Given, Inputs, indices};
use lossmith_core::loss::{
    adaptive_log_softmax, binary_cross_entropy, cross_entropy, l1, linear_cross_entropy, mse,
    softmax, triplet_margin,
};
use lossmith_core::{Loss, Reduction};

const ONE_NODE: [fn() -> Engine; 2] = [|| Engine::Ops, || Engine::Fused(Fused::new())];

fn tensor(shape: &[usize], seed: f64) -> Tensor {
    let count: usize = shape.iter().product();
    let data: Vec<f64> = (0..count).map(|index| (index as f64 * 1.7 + seed).sin()).collect();
    Tensor::from_vec(data, shape, &Device::Cpu).unwrap()
}

fn var(shape: &[usize], seed: f64) -> Tensor {
    Var::from_tensor(&tensor(shape, seed)).unwrap().into_inner()
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[track_caller]
fn close(got: &Tensor, right: &Tensor) {
    assert_eq!(got.dims(), right.dims());
    for (got, right) in numbers(got).into_iter().zip(numbers(right)) {
        assert!((got - right).abs() <= 1e-12 * (1.0 + right.abs()), "{got}, not {right}");
    }
}

#[test]
fn the_gradient_is_the_one_without_autodiff_to_the_bit() -> Result<()> {
    let (x, labels) = (var(&[6, 5], 0.3), Tensor::new(&[0_u32, 4, 2, 2, 1, 3], &Device::Cpu)?);
    let inputs = Inputs::new().tensor("input", x.clone()).labels("target", indices(&labels)?);
    let plain = cross_entropy().value_and_grad(&Candle::like(&x)?, &inputs).unwrap();
    let value = cross_entropy().forward(&x, &labels)?;
    assert_eq!(numbers(&value), numbers(&plain.value));
    let grads = value.backward()?;
    assert_eq!(numbers(grads.get(&x).unwrap()), numbers(plain.grad("input").unwrap()));

    let engine = Fused::new();
    let plain = cross_entropy().value_and_grad(&engine, &inputs).unwrap();
    let value = cross_entropy().fused().forward(&x, &labels)?;
    assert_eq!(numbers(&value), numbers(&plain.value));
    let grads = value.backward()?;
    assert_eq!(numbers(grads.get(&x).unwrap()), numbers(plain.grad("input").unwrap()));
    Ok(())
}

#[test]
fn the_chain_rule_goes_on_before_and_after_it() -> Result<()> {
    for engine in ONE_NODE {
        let (w, t) = (var(&[4, 3], 0.1), tensor(&[4, 3], 2.0));
        // 3 · mse(2w, t): its gradient is 3 · 2 · 2(2w − t)/12.
        let value = (mse().on(engine()).forward(&(&w * 2.0)?, &t)? * 3.0)?;
        let grads = value.backward()?;
        close(grads.get(&w).unwrap(), &((&w * 2.0)? - &t)?);
    }
    Ok(())
}

#[test]
fn a_cotangent_of_its_own_for_every_element() -> Result<()> {
    let unreduced = mse().reduction(Reduction::None);
    for engine in ONE_NODE {
        let (x, t, c) = (var(&[4, 3], 0.1), var(&[4, 3], 2.0), tensor(&[4, 3], 5.0));
        let value = unreduced.on(engine()).forward(&x, &t)?;
        assert_eq!(value.dims(), [4, 3]);
        let grads = (value * &c)?.sum_all()?.backward()?;
        let right = ((x.detach() - t.detach())? * 2.0)?.mul(&c)?;
        close(grads.get(&x).unwrap(), &right);
        close(grads.get(&t).unwrap(), &right.neg()?);
    }
    Ok(())
}

#[test]
fn rows_have_cotangents_too() -> Result<()> {
    let labels = Tensor::new(&[0_u32, 2, 1], &Device::Cpu)?;
    let c = tensor(&[3], 1.0);
    for engine in ONE_NODE {
        let x = var(&[3, 4], 0.7);
        let rows = cross_entropy().reduction(Reduction::None).on(engine()).forward(&x, &labels)?;
        let grads = (rows * &c)?.sum_all()?.backward()?;
        let one_hot = Tensor::new(
            &[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]],
            &Device::Cpu,
        )?;
        let p = candle_nn::ops::softmax(&x.detach(), 1)?;
        close(grads.get(&x).unwrap(), &(p - one_hot)?.broadcast_mul(&c.unsqueeze(1)?)?);
        // A building block in the middle of a model.
        let grads = (softmax().on(engine()).forward_with(&x)? * tensor(&[3, 4], 2.0))?;
        assert_eq!(grads.sum_all()?.backward()?.get(&x).unwrap().dims(), [3, 4]);
    }
    Ok(())
}

#[test]
fn three_arguments_and_more_have_their_gradients() -> Result<()> {
    for engine in ONE_NODE {
        let [a, p, n] = [0.1, 0.4, 2.0].map(|seed| var(&[5, 3], seed));
        let loss = triplet_margin().reduction(Reduction::None);
        let value = loss.on(engine()).forward_with([&a, &p, &n])?.sum_all()?;
        let grads = value.backward()?;
        // What moves all three alike moves nothing.
        let all = [&a, &p, &n].map(|x| grads.get(x).unwrap().clone());
        close(&((&all[0] + &all[1])? + &all[2])?, &all[0].zeros_like()?);

        let (x, w, b) = (var(&[4, 3], 0.2), var(&[5, 3], 1.2), var(&[5], 2.2));
        let labels = Tensor::new(&[0_i64, 4, 2, 2], &Device::Cpu)?;
        let named =
            [("input", &x), ("linear_weight", &w), ("linear_bias", &b), ("target", &labels)];
        let grads = linear_cross_entropy().on(engine()).forward_with(named)?.backward()?;
        let logits = x.matmul(&w.t()?)?.broadcast_add(&b)?;
        let right = cross_entropy().forward(&logits, &labels)?.backward()?;
        for x in [&x, &w, &b] {
            close(grads.get(x).unwrap(), right.get(x).unwrap());
        }
    }
    Ok(())
}

#[test]
fn a_loss_of_six_differentiable_arguments() -> Result<()> {
    let loss = adaptive_log_softmax().cutoffs(&[2, 4]);
    let labels = Tensor::new(&[0_i64, 5, 2, 3], &Device::Cpu)?;
    let names = ["input", "head.weight", "tails.0.0", "tails.0.1", "tails.1.0", "tails.1.1"];
    let shapes = [[4, 8], [4, 8], [3, 8], [2, 3], [2, 8], [2, 2]];
    let vars: Vec<_> = shapes.iter().zip(0..).map(|(s, i)| var(s, f64::from(i))).collect();
    let all: Vec<_> = names.into_iter().zip(&vars).collect();
    let given = all.iter().fold(Given::from([("target", &labels)]), |g, (name, x)| g.and(name, x));
    let inputs = Inputs::new().labels("target", indices(&labels)?);
    let inputs = all.iter().fold(inputs, |inputs, (name, x)| inputs.tensor(name, (*x).clone()));
    let right = loss.value_and_grad(&Candle::like(&vars[0])?, &inputs).unwrap();
    for engine in ONE_NODE {
        let grads = loss.on(engine()).forward_with(given.clone())?.backward()?;
        for (name, x) in &all {
            close(grads.get(x).unwrap(), right.grad(name).unwrap());
        }
    }
    Ok(())
}

#[test]
fn what_is_not_tracked_is_not_differentiated() -> Result<()> {
    let (x, t) = (tensor(&[3], 0.1), tensor(&[3], 0.2));
    for engine in [Engine::Ops, Engine::Fused(Fused::new()), Engine::Traced] {
        let value = mse().on(engine).forward(&x, &t)?;
        assert!(!value.track_op());
        assert!(value.backward()?.get(&x).is_none());
    }
    Ok(())
}

#[test]
fn optional_arguments_go_by_name_or_place() -> Result<()> {
    let (x, labels) = (tensor(&[3, 4], 0.1), Tensor::new(&[0_u8, 3, 1], &Device::Cpu)?);
    let (class, sample) = (tensor(&[4], 1.0).abs()?, tensor(&[3], 2.0).abs()?);
    let by_place = cross_entropy().forward_with([&x, &labels, &class])?;
    let by_name = [("weight", &class), ("target", &labels), ("input", &x)];
    let by_name = cross_entropy().forward_with(by_name)?;
    assert_eq!(numbers(&by_place), numbers(&by_name));
    let given = Given::from([&x, &labels]).and("sample_weight", &sample);
    let weighted = cross_entropy().forward_with(given)?;
    assert_ne!(numbers(&weighted), numbers(&cross_entropy().forward(&x, &labels)?));
    Ok(())
}

#[test]
fn an_objective_is_one_loss_of_named_arguments() -> Result<()> {
    let (x, labels) = (var(&[3, 4], 0.1), Tensor::new(&[0_u32, 3, 1], &Device::Cpu)?);
    let (image, original) = (var(&[6], 1.0), tensor(&[6], 3.0));
    let both = cross_entropy() + 0.5 * l1().rename("input", "image").rename("target", "original");
    let given = [("input", &x), ("target", &labels), ("image", &image), ("original", &original)];
    let value = both.forward_with(given)?;
    let apart =
        (cross_entropy().forward(&x, &labels)? + (l1().forward(&image, &original)? * 0.5)?)?;
    close(&value, &apart);
    let (grads, right) = (value.backward()?, apart.backward()?);
    for x in [&x, &image] {
        close(grads.get(x).unwrap(), right.get(x).unwrap());
    }
    Ok(())
}

#[test]
fn strided_tensors_are_read_as_they_lie() -> Result<()> {
    let wide = tensor(&[5, 6, 4], 0.4);
    let labels = Tensor::new(&[0_u32, 3, 1, 1, 2, 0], &Device::Cpu)?;
    let views = [wide.narrow(0, 2, 1)?.squeeze(0)?, wide.get(1)?, wide.t()?.get(2)?.t()?];
    for view in views {
        assert_eq!(view.dims(), [6, 4]);
        for engine in ONE_NODE {
            let run = |x: &Tensor| -> Result<_> {
                let x = Var::from_tensor(x)?;
                // Through an op that keeps the layout's view on a tensor of its own.
                let value = cross_entropy().on(engine()).forward(&x, &labels)?;
                Ok([value.clone(), value.backward()?.get(&x).unwrap().clone()])
            };
            let tracked = Var::from_tensor(&wide)?;
            let untracked = cross_entropy().on(engine()).forward(&view, &labels)?;
            let [value, _] = run(&view.contiguous()?)?;
            close(&untracked, &value);
            // A transposed view of a tracked tensor, its gradient turned back.
            let turned = tracked.get(0)?.t()?;
            let labels = Tensor::new(&[0_u32, 3, 1, 5], &Device::Cpu)?;
            let grads = cross_entropy().on(engine()).forward(&turned, &labels)?.backward()?;
            let copy = Var::from_tensor(&wide.get(0)?.t()?.contiguous()?)?;
            let right = cross_entropy().on(engine()).forward(&copy, &labels)?.backward()?;
            let got = grads.get(&tracked).unwrap().get(0)?;
            close(&got, &right.get(&copy).unwrap().t()?);
        }
    }
    Ok(())
}

#[test]
fn an_infinite_gradient_times_nothing_is_nothing() -> Result<()> {
    let loss: Loss<_> = binary_cross_entropy().clamp(None).reduction(Reduction::Sum);
    let t = Tensor::new(&[1.0_f64], &Device::Cpu)?;
    let x = Var::new(&[0.0_f64], &Device::Cpu)?;
    let nothing = Tensor::new(0.0_f64, &Device::Cpu)?;
    let grads = (loss.forward(&x, &t)? * nothing)?.backward()?;
    assert_eq!(numbers(grads.get(&x).unwrap()), [0.0]);
    let grads = (loss.forward(&x, &t)? * 2.0)?.backward()?;
    assert_eq!(numbers(grads.get(&x).unwrap()), [f64::NEG_INFINITY]);
    Ok(())
}

#[test]
fn a_scaled_loss_keeps_gradients_that_16_bits_would_lose() -> Result<()> {
    let count = 1 << 18;
    for engine in ONE_NODE {
        let x = Var::ones(count, DType::F16, &Device::Cpu)?;
        let t = (x.as_detached_tensor() * 0.999)?;
        let difference = 1.0 - numbers(&t.get(0)?)[0];
        let value = (mse().on(engine()).forward(&x, &t)? * 1024.0)?;
        let grads = value.backward()?;
        // 2d/N is below 2⁻²⁵, which rounds to 0.
        let right = 2.0 * difference / count as f64 * 1024.0;
        let got = numbers(&grads.get(&x).unwrap().get(0)?)[0];
        assert!((got - right).abs() <= 2e-3 * right, "{got}, not {right}");
        let grads = mse().on(engine()).forward(&x, &t)?.backward()?;
        assert_eq!(numbers(&grads.get(&x).unwrap().get(0)?), [0.0]);
    }
    Ok(())
}

#[test]
fn a_mean_in_16_bits_divides_by_a_count_that_they_do_not_hold() -> Result<()> {
    for engine in ONE_NODE {
        let x = Var::from_tensor(&(Tensor::ones(70_000, DType::F16, &Device::Cpu)? * 100.0)?)?;
        let value = mse().on(engine()).forward(&x, &x.as_detached_tensor().zeros_like()?)?;
        assert_eq!(numbers(&value), [10_000.0]);
        let grads = value.backward()?;
        let (got, right) = (numbers(&grads.get(&x).unwrap().get(0)?)[0], 200.0 / 70_000.0);
        // 1/70000 as a number of 16 bits is 1.4e-3 off.
        assert!((got / right - 1.0).abs() < 5e-4, "{got}, not {right}");
    }
    Ok(())
}
