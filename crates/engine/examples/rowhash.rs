#[path = "../tests/support/mod.rs"]
mod support;
use barograph_engine::Outputs;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
fn main() {
    let mut h = std::collections::hash_map::DefaultHasher::new();
    let mut n = 0u64;
    let mut worlds = vec![support::random_world(7, 60), support::random_world(11, 40)];
    for s in ["BTCUSDT", "ETHUSDT"] { worlds.push(support::built_in_world(s)); }
    for world in worlds {
        for book in ["default", "absolute"] {
        let mut engine = world.engine(book);
        let mut out = Outputs::default();
        let mut text = String::new();
        for event in &world.events {
            engine.step(event, &mut out);
            for (i, row) in out.rows().iter().enumerate() {
                n += 1;
                if n % 7 == 0 {
                    text.clear();
                    write!(text, "{row:?}").unwrap();
                    for l in out.levels(i) { write!(text, "{l:?}").unwrap(); }
                    text.hash(&mut h);
                }
            }
            for a in out.alerts() { text.clear(); write!(text, "{a:?}").unwrap(); text.hash(&mut h); }
            out.clear();
        }
        println!("{n} {:x}", h.finish());
        }
    }
}
