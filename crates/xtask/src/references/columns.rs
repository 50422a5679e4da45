//! `docs/columns.md` from the table of the research columns.

use barograph_columns::catalogue;

const HEAD: &str = "\
# Columns of the research data set

Written by `cargo x gen` from `crates/columns/src/columns.tsv`; edit that, not this. A row is one second of one market, `(t − 1 s, t]` by
the venue's clock, made 200 ms after `t` from what had arrived by then. Where there is no number there is a reason
(`warming`, `missing_input`, `gap`, `stale`, `zero_variance`, `zero_denominator`, `insufficient_levels`, `out_of_domain`, `not_offered`).

DepthLevel k is 0 for the best price, 19 for the twentieth. `p^b_k`, `q^b_k`, `p^a_k`, `q^a_k` are price and size of bids and asks, `d_k` the
distance of a level from the mid in basis points, s is +1 where the buyer took liquidity and −1 where the seller did, v the base that
was traded, τ the moment of a trade. NL: a level is not there. ZD: a divisor is zero. ZV: nothing varies.

| # | column | formula | made of | unit | window | needs before it is ready | undefined when |
|---:|---|---|---|---|---|---|---|
";

pub(super) fn document() -> String {
    let mut text = HEAD.to_owned();
    for (n, c) in (1..).zip(catalogue()) {
        let cells =
            [c.formula, c.levels, c.unit, c.window, c.warm_up, c.undefined].map(|cell| cell.replace('|', "\\|"));
        text.push_str(&format!("| {n} | `{}` | {} |\n", c.id, cells.join(" | ")));
    }
    text
}
