//! Every target on its seeds, on seeds with bytes replaced, and on random bytes.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_fuzz_targets::TARGETS;
use lossmith_tests::Stream;
use std::path::Path;

/// How often each target runs on bytes that are no seed.
const TIMES: usize = 4000;

fn byte(stream: &mut Stream) -> u8 {
    u8::try_from(stream.below(256)).unwrap()
}

#[test]
fn every_target_holds_on_seeds_and_on_other_bytes() {
    for (name, target) in TARGETS {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds").join(name);
        let files = std::fs::read_dir(&dir).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.collect();
        files.sort();
        let seeds: Vec<_> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        seeds.iter().for_each(|seed| target(seed));
        let mut stream = Stream(1);
        for _ in 0..TIMES {
            let mut bytes: Vec<u8> = match stream.below(4) {
                0 => (0..stream.below(200)).map(|_| byte(&mut stream)).collect(),
                _ => seeds[stream.below(seeds.len())].clone(),
            };
            for _ in 0..stream.below(8).min(bytes.len()) {
                let place = stream.below(bytes.len());
                match stream.below(3) {
                    0 => bytes.insert(place, byte(&mut stream)),
                    1 if bytes.len() > 1 => drop(bytes.remove(place)),
                    _ => bytes[place] = byte(&mut stream),
                }
            }
            target(&bytes);
        }
        println!("{name}: {} seeds and {TIMES} others", seeds.len());
    }
}
