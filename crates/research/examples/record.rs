//! Records into a lake: `record MARKET LAKE FILE…`.
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let request = barograph_research::dataset::DatasetRequest {
        market: barograph_domain::InstrumentName::parse(&args[0]).unwrap(),
        lake: args[1].clone().into(),
        files: args[2..].iter().map(Into::into).collect(),
        tick: None,
    };
    let began = std::time::Instant::now();
    match barograph_research::dataset::record(&request, &mut |_, _| {}) {
        Ok(report) => println!("{report:?} {:?}", began.elapsed()),
        Err(e) => println!("{e}"),
    }
}
