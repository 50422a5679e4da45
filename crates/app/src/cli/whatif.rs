//! `rules whatif`: a changed rule book over stored readings.

use barograph_domain::whatif::WhatIfRequest;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct WhatIfArgs {
    /// The changed book: default, absolute, seed1-strict, or a file; without it the base, changed by --set
    pub(crate) new: Option<String>,
    /// Book to compare with: default, absolute, seed1-strict; without it the configured one
    #[arg(long, value_name = "BOOK")]
    pub(crate) base: Option<String>,
    /// Market: venue:symbol, or a symbol of one market. May be repeated; without it all that are stored
    #[arg(long, value_name = "NAME")]
    pub(crate) market: Vec<String>,
    /// First moment; without it 90 days before the end, or with neither end the 90 days that hold most
    #[arg(long, value_name = "TIME", value_parser = barograph_domain::Ts::parse)]
    pub(crate) from: Option<barograph_domain::Ts>,
    /// First moment no longer counted; without it the end of what is stored
    #[arg(long, value_name = "TIME", value_parser = barograph_domain::Ts::parse)]
    pub(crate) to: Option<barograph_domain::Ts>,
    /// A threshold to change, as in HIGH_VOL.realized_vol_1h=0.85. May be repeated
    #[arg(long, value_name = "RULE.FEATURE=NUMBER")]
    pub(crate) set: Vec<String>,
    /// Most entries a day and market, as in 3/day
    #[arg(long, value_name = "N/day")]
    pub(crate) budget: Option<String>,
    /// Choose this threshold by the budget in one month and judge it in the next
    #[arg(long, value_name = "RULE.FEATURE", requires = "budget")]
    pub(crate) tune: Option<String>,
    /// Show what follows from several values of this threshold
    #[arg(long, value_name = "RULE.FEATURE", conflicts_with_all = ["tune", "save"])]
    pub(crate) curve: Option<String>,
    /// A condition on signals to count over the same minutes, as in 'signal x.desk_flow; x.desk_flow.z_7d > 2'
    #[arg(long, value_name = "CONDITION", conflicts_with = "curve")]
    pub(crate) when: Option<String>,
    /// Write the changed book to a new file; comments stay
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
}

/// What a saved book is called: as its file, where that is a name for a book; else as before.
fn own_name(file: &std::path::Path) -> Option<String> {
    let stem = file.file_stem()?.to_str()?;
    barograph_query::whatif::book_name(stem).is_ok().then(|| stem.to_owned())
}

impl WhatIfArgs {
    /// The same as sent over HTTP, with the text of the changed book.
    pub(crate) fn request(&self, book: Option<String>) -> WhatIfRequest {
        WhatIfRequest {
            book,
            set: self.set.clone(),
            base: self.base.clone(),
            markets: self.market.clone(),
            from: self.from.map(|t| t.to_string()),
            to: self.to.map(|t| t.to_string()),
            budget: self.budget.clone(),
            tune: self.tune.clone(),
            when: self.when.clone(),
            name: self.save.as_deref().and_then(own_name),
        }
    }
}
