//! Events per second through `Engine::step` on one core: a perpetual with all its streams, minute rows included.

#[path = "../tests/support/mod.rs"]
mod support;

use barograph_engine::Outputs;
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn minute_streams_30_days(bencher: Bencher<'_, '_>) {
    let world = support::random_world(7, 30);
    bencher.counter(ItemsCount::new(world.events.len())).bench_local(|| {
        let mut engine = world.engine("default");
        let mut out = Outputs::default();
        let mut rows = 0_usize;
        for event in &world.events {
            engine.step(event, &mut out);
            rows += out.rows().len();
            out.clear();
        }
        rows
    });
}
