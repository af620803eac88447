//! Trains on the digits, printing the loss and the accuracy on the held-out images.

use lossmith_train::{Model, digits};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [train, held_out] = digits()?;
    let (mut model, epochs) = (Model::zero(), 160);
    println!("epoch    loss  held out");
    model.train(&train, epochs, |epoch, loss, model| {
        if epoch == 1 || epoch % 20 == 0 {
            let (right, all) = (model.correct(&held_out), held_out.labels.len());
            println!(
                "{epoch:5}  {loss:6.4}  {right} of {all} ({:.1} %)",
                100.0 * right as f64 / all as f64
            );
        }
    })?;
    Ok(())
}
