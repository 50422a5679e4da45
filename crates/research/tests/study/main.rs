//! Studies over a lake of known answers: what a board says in money, what is kept of earlier runs, the hold-out, artefacts, predictions.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod begun_again;
mod gone_on;
mod kept;
#[cfg(feature = "lightgbm")]
mod lightgbm;
mod outside;
mod weighted;
mod world;

use barograph_domain::{InstrumentName, Span};
use barograph_research::goals::goals;
use barograph_research::simulation::{SimulationRequest, simulated};
use barograph_research::train::{
    MoneyTerms, RESEARCH_LOG, StudyBoard, StudyRequest, TRIALS, boards, by_study, folder_of, funding_of, hold_out,
    predicted, research_log, study, summary, traded,
};
use barograph_study::money::blotter::{FundingPayment, TradeTerms};
use barograph_study::money::funding::FundingCover;
use barograph_study::money::rule::{RuleVocabulary, TradingRule};
use barograph_study::targets::TargetId;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::OnceLock;
use world::{begins, market, record, request, terms};

const DAYS: i64 = 72;

/// Recorded once for all tests that only read it.
fn lake() -> PathBuf {
    static LAKE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let lake = LAKE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path(), 0..DAYS);
        folder
    });
    lake.path().to_owned()
}

fn fit(studies: &std::path::Path, models: &[&str], seed: u64, terms: Option<&MoneyTerms>) -> StudyBoard {
    study(&request(&lake(), studies, models, seed), terms, &mut |_| {}).unwrap()
}

/// Columns of research §5, as they are spelt there.
const COLUMNS: [&str; 33] = [
    "model",
    "target",
    "n_test",
    "n_folds",
    "n_trials",
    "auc",
    "auc_lo",
    "auc_hi",
    "auc_pooled",
    "brier",
    "bss_clim",
    "log_loss",
    "ece",
    "macro_f1",
    "f1_by_class",
    "macro_f1_persistence",
    "ic",
    "rmse",
    "r2_oos",
    "sharpe_net",
    "sharpe_gross",
    "dsr",
    "turnover",
    "avg_cost_bps",
    "max_drawdown",
    "break_even_cost_bps",
    "pbo",
    "dsr_effective",
    "fit_s",
    "predict_us_row",
    "size_kb",
    "seed",
    "data_digest",
];

#[test]
fn a_board_says_what_calls_were_worth_and_counts_every_trial() {
    let studies = tempfile::tempdir().unwrap();
    let bare = fit(studies.path(), &["linear"], 1, None);
    assert!(
        bare.money.is_none() && bare.no_money.as_ref().unwrap().starts_with("no fee was given"),
        "{:?}",
        bare.no_money
    );
    assert_eq!((bare.earlier_runs, bare.earlier_trials), (0, 0));
    let board = fit(studies.path(), &["linear"], 1, Some(&terms(DAYS)));
    assert_eq!(board.board, bare.board, "the same fits are on it");
    assert_eq!((board.earlier_runs, board.earlier_trials), (1, 0));
    let money = board.money.as_ref().unwrap();
    let linear = &money.rows["linear"];
    // A move is 5 bp, called in 85 of 100 cases: 3.5 bp before costs. A spread of a dollar and fees cost 0.2 and 1.
    assert!((3.0..4.0).contains(&linear.break_even_cost_bps.unwrap()), "{linear:?}");
    assert!((1.1..1.4).contains(&linear.avg_cost_bps.unwrap()), "{linear:?}");
    assert!(linear.sharpe_net.unwrap() > 2.0 && linear.sharpe_gross > linear.sharpe_net && linear.no_sharpe.is_none());
    assert!(linear.dsr.is_some_and(|p| (0.0..=1.0).contains(&p)) && linear.dsr_effective >= linear.dsr, "{linear:?}");
    let control = &money.rows["shuffled"];
    assert!(control.sharpe_net.is_none_or(|s| s < linear.sharpe_net.unwrap()), "{control:?}");
    assert_eq!((money.configurations, money.no_pbo.as_ref()), (24, None), "three models, eight thresholds");
    assert!(money.pbo.unwrap() < 0.5, "what is good is good in both halves: {money:?}");
    assert!(matches!(money.funding, FundingCover::Known { settlements } if settlements > 80), "{:?}", money.funding);
    let thresholds = 4 * 3 * 8;
    let fits = board.rows.iter().map(|r| r.scores.n_trials).max().unwrap();
    assert_eq!(money.trials, fits + thresholds);

    let rows = serde_json::to_value(&board.rows).unwrap();
    for column in COLUMNS {
        assert!(rows[0].get(column).is_some(), "{column} is not on the board");
    }
    let read: StudyBoard = serde_json::from_value(serde_json::to_value(&board).unwrap()).unwrap();
    assert_eq!(read, board);

    // Test blocks of ten days have an embargo of more than was asked for, and the board says so.
    let embargo = board.embargo_words();
    assert!(embargo.contains(" s, not the 10 s asked for: a hundredth of the longest test block"), "{embargo}");

    // Another seed is another run: what was there stays, and its fits count.
    let other = fit(studies.path(), &["linear"], 2, None);
    assert_eq!((other.earlier_runs, other.earlier_trials), (2, fits));
    assert_eq!(other.rows.iter().map(|r| r.scores.n_trials).max(), Some(2 * fits));
    let folder = request(&lake(), studies.path(), &[], 1).folder;
    let kept = boards(&folder).unwrap();
    assert_eq!(kept.iter().map(|b| b.run.as_str()).collect::<Vec<_>>(), [&bare.run, &board.run, &other.run]);
    assert_eq!(kept[1].board, board.board);

    // Killed while it wrote the log: the line that was cut off is tried again and counts once.
    let log = folder.join(TRIALS);
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, &text[..text.len() - 30]).unwrap();
    let again = fit(studies.path(), &["linear"], 2, None);
    assert_eq!(again.board, other.board);

    // A model that cannot be fitted is on no board, and was tried.
    let alone = fit(studies.path(), &["linear", "ensemble"], 2, None);
    assert!(alone.left_out["ensemble"].contains("not two models"), "{:?}", alone.left_out);
    assert_eq!(alone.earlier_trials, other.earlier_trials + 1);
}

#[test]
fn funding_is_paid_where_it_is_known_and_its_absence_is_said() {
    let studies = tempfile::tempdir().unwrap();
    let request = request(&lake(), studies.path(), &["linear"], 1);
    let run = |terms: &MoneyTerms| traded(&request, "linear", terms, &mut |_, _| {}).unwrap();
    let missing = traded(&request, "linear", &terms(DAYS), &mut |_, _| {}).unwrap_err().to_string();
    let place = format!("--lake {} --studies {}", lake().display(), studies.path().display());
    let command =
        "run it first: barograph lab train binance-usdm:BTCUSDT --target dir_1s --folds 3 --embargo 10s --rows-min 50";
    assert!(missing.ends_with(&format!("{command} {place}")), "{missing}");
    study(&request, None, &mut |_| {}).unwrap();
    let paid = run(&terms(DAYS));
    let unknown = run(&MoneyTerms { funding: Vec::new(), ..terms(DAYS) });
    assert_eq!(unknown.funding, FundingCover::Unknown);
    assert!(unknown.funding.to_string().contains("no settled funding is known"), "{}", unknown.funding);
    let funding = |r: &barograph_research::train::BacktestReport| r.costs.iter().find(|c| c.0 == "funding").unwrap().1;
    assert!(funding(&unknown).abs() < 1e-12 && funding(&paid).abs() > 0.5, "{}", funding(&paid));
    assert!((paid.net + funding(&paid) / paid.notional - unknown.net).abs() < 1e-9);
    // Every model of the board has calls, and each back-test is held against the goal on its own terms.
    let goal = |model: &str, ms: i64| {
        let at = terms(DAYS);
        let trade = TradeTerms { latency: Span::millis(ms), ..at.trade };
        let report = traded(&request, model, &MoneyTerms { trade, ..at }, &mut |_, _| {}).unwrap();
        let lines = goals(&lake(), studies.path(), &market()).unwrap();
        let line = lines.into_iter().find(|l| l.goal == "sharpe_dir_1s").unwrap();
        assert_eq!((line.model.as_deref(), report.model.as_str()), (Some(model), model));
        assert!(report.goal_misses.unwrap().iter().all(|m| line.misses.contains(m)) && !line.reached);
        (report.dsr.is_some(), line.misses.iter().any(|m| m.contains("a latency of 0.1 s is below 0.25 s")))
    };
    // No board was traded: what other models and latencies have shown is in the log of trials, and makes the ratio worth less.
    let first = run(&terms(DAYS));
    traded(&request, "persistence", &terms(DAYS), &mut |_, _| {}).unwrap();
    let beside = run(&terms(DAYS));
    assert!(beside.trials > first.trials && beside.trials_variance > first.trials_variance, "{beside:?}");
    assert!(beside.dsr <= first.dsr && beside.sharpe_net == first.sharpe_net, "{:?} {:?}", beside.dsr, first.dsr);
    for (model, ms, deflated, late) in
        [("linear", 100, true, true), ("linear", 250, true, false), ("persistence", 100, false, true)]
    {
        assert_eq!(goal(model, ms), (deflated, late), "{model} {ms}");
    }
    // The history that ships with the sources.
    let history = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/history/binance-usdm/BTCUSDT");
    let settled = funding_of(&market(), &[history.join("funding_8h.csv.zst")]).unwrap();
    assert_eq!(settled.len(), 266);
    let refused = funding_of(&market(), &[history.join("candles_1h.csv.zst")]).unwrap_err().to_string();
    assert_eq!(refused, "no file holds settled funding of binance-usdm:BTCUSDT");
}

#[test]
fn no_name_of_a_market_leads_out_of_the_studies() {
    for (symbol, folder) in [
        ("BTCUSDT", "s/okx/BTCUSDT/dir_1s"),
        ("BTC-USDT", "s/okx/BTC-USDT/dir_1s"),
        ("BTC/USDT", "s/okx/BTC%2FUSDT/dir_1s"),
        ("../../x", "s/okx/..%2F..%2Fx/dir_1s"),
        ("..", "s/okx/%2E%2E/dir_1s"),
    ] {
        let market = InstrumentName::new("okx", symbol).unwrap();
        let target = TargetId::parse("dir_1s").unwrap();
        assert_eq!(folder_of(std::path::Path::new("s"), &market, target), PathBuf::from(folder), "{symbol}");
    }
}

#[test]
fn numbers_out_of_fold_come_from_the_inputs_of_their_model() {
    let studies = tempfile::tempdir().unwrap();
    let target = TargetId::parse("ret_1s").unwrap();
    let folder = folder_of(studies.path(), &market(), target);
    let asked = StudyRequest { target, folder, ..request(&lake(), studies.path(), &["linear"], 1) };
    study(&asked, None, &mut |_| {}).unwrap();
    // The last move again: half a tenth of a percent each second, but for the first of a day, which has none.
    let last = predicted(&asked, "persistence").unwrap();
    let moved = last.values().filter(|v| (v.abs() - 0.0005).abs() < 1e-5).count();
    assert!(moved * 10 > last.len() * 9 && last.len() > 300, "{moved} of {}", last.len());
    assert_eq!(predicted(&asked, "linear").unwrap().len(), last.len());
}

#[test]
fn a_time_limit_leaves_out_what_learns_and_the_next_call_goes_on() {
    let studies = tempfile::tempdir().unwrap();
    let usual = request(&lake(), studies.path(), &["linear"], 1);
    let short = StudyRequest { time_limit: Span::ZERO, ..usual.clone() };
    let models = |board: &StudyBoard| board.rows.iter().map(|r| r.scores.model.clone()).collect::<BTreeSet<_>>();
    let board = study(&short, None, &mut |_| {}).unwrap();
    assert_eq!(models(&board), ["persistence", "prior", "shuffled"].map(str::to_owned).into());
    let why = &board.left_out["linear"];
    assert!(why.starts_with("the time limit of 0s was up before fold 1") && why.contains("--time-limit"), "{why}");
    assert!(board.artefact.is_none() && board.no_artefact.is_some(), "what was in time is not kept as the best");
    let board = study(&usual, None, &mut |_| {}).unwrap();
    assert!(board.artefact.is_some());
    assert!(models(&board).contains("linear") && !board.left_out.contains_key("linear"), "{:?}", board.left_out);
}

#[test]
fn a_hold_out_opens_once_and_the_log_says_so() {
    let studies = tempfile::tempdir().unwrap();
    let asked = kept::asked(&lake(), studies.path());
    let refused = |request: &_| hold_out(request, None, &mut |_| {}).unwrap_err().to_string();
    assert!(refused(&asked).contains("run it first: barograph lab train"), "{}", refused(&asked));
    assert!(!studies.path().join(RESEARCH_LOG).exists(), "nothing was opened");
    let board = study(&asked.study, None, &mut |_| {}).unwrap();
    let report = hold_out(&asked, Some(&terms(DAYS)), &mut |_| {}).unwrap();
    let best = &report.board.rows[0];
    assert!(best.model == "linear" && best.auc.unwrap() > 0.75 && best.n_test == report.opening.rows, "{best:?}");
    let fits = board.rows.iter().map(|r| r.scores.n_trials).max().unwrap();
    assert!(report.board.rows.iter().all(|r| r.n_trials == fits), "{:?}", report.board.rows);
    let shown = summary(&asked.study, &mut |_, _| {}).unwrap().board;
    assert_eq!(shown["board"]["rows"][0]["hold_out_auc"].as_f64(), best.auc, "reports and goals have it too");
    // Bands are narrow enough: what is missing is no recording.
    let goal = goals(&lake(), studies.path(), &market()).unwrap().into_iter().find(|l| l.goal == "dir_1s").unwrap();
    assert_eq!((goal.misses, goal.days), (vec!["3 folds where 5 are asked".to_owned()], None));
    assert!(report.money.is_some() && report.finding.contains("above 0.55"), "{}", report.finding);
    assert!(report.finding.starts_with("linear, first on the board before, on "), "{}", report.finding);
    let again = refused(&asked);
    assert!(again.contains("was opened for 'BTCUSDT-dir_1s-") && again.contains("--again REASON"), "{again}");
    let renamed = barograph_research::train::HoldOutRequest { study_id: Some("mine".to_owned()), ..asked.clone() };
    assert!(refused(&renamed).contains("this study under another name"), "{}", refused(&renamed));
    let forced =
        barograph_research::train::HoldOutRequest { again: Some("a fee was wrong".to_owned()), ..asked.clone() };
    let second = hold_out(&forced, None, &mut |_| {}).unwrap();
    assert_eq!((second.opening.again.as_deref(), second.opening.earlier), (Some("a fee was wrong"), 1));
    assert_eq!(second.board, report.board, "the same fits judged on the same rows");
    let forced = barograph_research::train::HoldOutRequest { again: Some("to see".to_owned()), ..renamed };
    let third = hold_out(&forced, None, &mut |_| {}).unwrap();
    assert_eq!((third.opening.again.as_deref(), third.opening.earlier), (Some("to see"), 2), "another name, one study");
    // A second target of the market is another study, which opens its hold-out for the first time, and the rows are not untouched.
    let target = TargetId::parse("dir_5s").unwrap();
    let folder = folder_of(studies.path(), &market(), target);
    let other = barograph_research::train::HoldOutRequest {
        study: StudyRequest { target, folder, ..asked.study.clone() },
        ..asked.clone()
    };
    study(&other.study, None, &mut |_| {}).unwrap();
    let opened = hold_out(&other, None, &mut |_| {}).unwrap();
    assert_eq!((opened.opening.again.as_ref(), opened.opening.earlier), (None, 3));
    let shown = summary(&other.study, &mut |done, of| assert!(done < of)).unwrap().board;
    let first =
        opened.board.rows.iter().find(|r| Some(r.model.as_str()) == shown["rows"][0]["model"].as_str()).unwrap();
    assert!(first.auc.is_some() && shown["rows"][0]["hold_out_auc"].as_f64() == first.auc, "{}", shown["rows"][0]);
    let log = by_study(&research_log(&studies.path().join(RESEARCH_LOG)).unwrap());
    let row = log.iter().find(|r| r.study_id.starts_with("BTCUSDT-dir_1s-")).unwrap();
    assert_eq!((row.openings.len(), row.findings.len(), row.artefacts.len()), (2, 2, 2));
    assert_eq!((row.question.as_deref(), row.researcher.as_str()), (Some("does order flow lead?"), "someone"));
    assert!(row.n_trials.unwrap() > 0 && row.data.as_ref().unwrap().range.is_some());
    assert!(row.artefacts.iter().all(|a| std::path::Path::new(a).is_file()));
}

#[test]
fn a_rule_pays_the_funding_that_is_known() {
    let known = RuleVocabulary { columns: vec!["ofi".to_owned()], axes: Vec::new() };
    let paid = |funding: Vec<FundingPayment>| {
        let asked = SimulationRequest {
            lake: lake(),
            market: market(),
            rule: TradingRule::parse("long when ofi > 0", &known).unwrap(),
            labels: Vec::new(),
            signals: Vec::new(),
            terms: terms(DAYS).trade,
            funding,
            from: None,
            until: None,
            seed: 1,
        };
        let report = simulated(&asked, &mut |_, _| {}).unwrap();
        (report.funding, report.costs[3].1.abs() > 0.1)
    };
    assert_eq!(paid(Vec::new()), (FundingCover::Unknown, false));
    assert!(matches!(paid(terms(DAYS).funding), (FundingCover::Known { settlements }, true) if settlements > 200));
}

#[test]
fn a_rule_that_is_traded_from_one_day_until_another_is_traded_as_if_nothing_else_were_recorded() {
    let known = RuleVocabulary { columns: vec!["ofi".to_owned()], axes: Vec::new() };
    let ask = |lake: PathBuf, from, until| {
        let rule = TradingRule::parse("long when ofi > 0; short when ofi < -0.5", &known).unwrap();
        let (trade, funding) = (terms(DAYS).trade, terms(DAYS).funding);
        let asked = SimulationRequest {
            lake,
            market: market(),
            rule,
            labels: Vec::new(),
            signals: Vec::new(),
            terms: trade,
            funding,
            from,
            until,
            seed: 1,
        };
        simulated(&asked, &mut |_, _| {})
    };
    let few = tempfile::tempdir().unwrap();
    record(few.path(), 10..20);
    let (from, until) = (begins(10), begins(20));
    let mut found = ask(lake(), Some(from), Some(until)).unwrap();
    let want = ask(few.path().to_owned(), None, None).unwrap();
    assert_eq!(found.span, [from, begins(19) + Span::secs(39)]);
    found.data_digest.clone_from(&want.data_digest);
    assert!(found == want && found.all.trades > 20, "{found:?}");
    let inner = ask(lake(), Some(from + Span::secs(5)), Some(from + Span::secs(15))).unwrap();
    assert_eq!((inner.rows, inner.span), (9, [from + Span::secs(5), from + Span::secs(14)]));
    let none = ask(lake(), Some(until), Some(from)).unwrap_err().to_string();
    assert!(none.contains("holds no rows of binance-usdm:BTCUSDT from 2025-12-28T"), "{none}");
}

/// What one process keeps of its fits another would take away.
#[test]
fn a_target_is_trained_by_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let asked = request(&lake(), folder.path(), &["linear"], 1);
    std::fs::create_dir_all(&asked.folder).unwrap();
    let held = std::fs::File::create(asked.folder.join("train.lock")).unwrap();
    held.lock().unwrap();
    let refused = study(&asked, None, &mut |_| {}).unwrap_err().to_string();
    assert!(refused.starts_with("another process trains dir_1s of binance-usdm:BTCUSDT"), "{refused}");
    drop(held);
    assert!(study(&asked, None, &mut |_| {}).is_ok());
}
