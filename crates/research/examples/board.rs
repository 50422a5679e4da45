//! A board: `board LAKE MARKET TARGET EMBARGO_S FOLDER`.
use barograph_research::train::{Lineup, StudyRequest, study};
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let memory = barograph_domain::Span::secs(args[3].parse().unwrap());
    let request = StudyRequest {
        lake: args[0].clone().into(),
        market: barograph_domain::InstrumentName::parse(&args[1]).unwrap(),
        target: args[2].parse().unwrap(),
        plan: barograph_study::folds::FoldPlan { memory, ..Default::default() },
        preset: Default::default(),
        seed: 1,
        lineup: Lineup::all(),
        folder: args[4].clone().into(),
    };
    let began = std::time::Instant::now();
    match study(&request, &mut |s| eprintln!("{s:?}")) {
        Ok(b) => {
            println!("{:?} stamp {:?} left out {:?} {:?}", b.about, b.stamp, b.left_out, began.elapsed());
            for r in &b.board.rows {
                println!(
                    "{:12} n {} auc {:?} [{:?} {:?}] bss {:?} ece {:?} {:?}",
                    r.model, r.n_test, r.auc, r.auc_lo, r.auc_hi, r.bss_clim, r.ece, b.costs[&r.model]
                );
            }
        }
        Err(e) => println!("{e}"),
    }
}
