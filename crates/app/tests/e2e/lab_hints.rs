//! Commands that the lab's answers and refusals name: typed into a shell as they stand, they do what was said.

use crate::support::data::snapshots;
use crate::support::{Outcome, Place, json_lines};
use std::path::Path;
use std::process::{Command, Stdio};

/// A lake and studies whose folders a shell would not take as one word, and settings that are not the defaults.
const PLACE: [&str; 4] = ["--lake", "my lake", "--studies", "my studies"];
const SETTINGS: &str = "--target dir_1s --folds 2 --embargo 10s --rows-min 50 --seed 3";

fn of_place(place: &Place, line: &str) -> Outcome {
    Outcome::of(line, place.command(line.split_whitespace().chain(PLACE)))
}

/// The commands in a text: from the name of the program to the end of the line, or to what cannot be of it.
fn commands(text: &str) -> Vec<String> {
    let from_name = text.lines().filter_map(|line| line.find("barograph lab ").map(|at| line[at..].to_owned()));
    from_name.collect()
}

/// Types a command into a shell that finds this program under its name.
fn typed(place: &Place, command: &str) -> Outcome {
    let program = Path::new(env!("CARGO_BIN_EXE_barograph"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).current_dir(place.path("")).env_clear().env("PATH", path);
    shell.env("HOME", place.root().join("home")).env("XDG_DATA_HOME", place.root().join("share"));
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Outcome::of(command, shell)
}

/// The one command of a refusal, which does what it says.
#[track_caller]
fn remedied(place: &Place, refused: &str, code: i32, want: &str) {
    let said = of_place(place, refused).exits(code);
    let found = commands(&said.err);
    assert_eq!(found.len(), 1, "{refused}: {}", said.err);
    let command = found[0].split("; ").next().unwrap();
    assert!(command.contains(want), "{refused}: {command} has no {want}");
    typed(place, command).exits(0);
}

#[test]
fn every_command_that_is_named_is_typed_as_it_stands() {
    let place = Place::new();
    place.write("a.csv", &snapshots(4_500, 1, 0, 7));
    let import =
        |line: &str| Outcome::of(line, place.command(line.split_whitespace().chain(PLACE[..2].iter().copied())));
    import("lab dataset BTCUSDT --source a.csv").exits(0);

    // Before there is a study.
    of_place(&place, "lab report BTCUSDT --target dir_1s").exits(2).says("--lake 'my lake' --studies 'my studies'");
    let board = of_place(&place, &format!("lab train BTCUSDT {SETTINGS} --model linear")).exits(0);
    assert!(!board.out.contains("earlier board"), "{}", board.out);

    // Without the settings the board is pointed at; with them the model that is there, and what fits the other.
    let other = of_place(&place, "lab importance BTCUSDT --target dir_1s --folds 2 --embargo 5s").exits(2);
    let made = "its board was made with --folds 2 --embargo 10s --rows-min 50 --seed 3: give the same";
    assert!(other.err.contains(made), "{}", other.err);
    let gbm = of_place(&place, &format!("lab importance BTCUSDT {SETTINGS}")).exits(2);
    assert!(gbm.err.contains("gbm was not fitted for fold 1 with these settings; fitted with them are"), "{}", gbm.err);
    of_place(&place, &format!("lab importance BTCUSDT {SETTINGS} --model linear --top 1")).exits(0);
    std::fs::remove_file(place.path("my studies/binance-usdm/BTCUSDT/dir_1s/importance.json")).unwrap();

    // A report names what makes the parts it is without, and with them it is without none.
    let report = "lab report BTCUSDT --target dir_1s";
    let lacking = of_place(&place, report).exits(0);
    let named = commands(&lacking.out);
    assert_eq!(named.len(), 2, "{}", lacking.out);
    assert!(lacking.out.contains("VIP0=5 means the tier") && named[0].contains("lab backtest"), "{named:?}");
    assert!(named[1].contains("lab importance") && named[1].contains("--model linear"), "{named:?}");
    let page = std::fs::read_to_string(place.path("my studies/binance-usdm/BTCUSDT/dir_1s/report.html")).unwrap();
    let page = page.replace("&#39;", "'");
    assert!(named.iter().all(|command| page.contains(command)), "{named:?} are on the page too");
    for command in &named {
        typed(&place, command).exits(0);
    }
    assert!(!of_place(&place, report).exits(0).out.contains("without"));
    let refused = "lab backtest BTCUSDT --target ret_1s --fee VIP0=5";
    of_place(&place, refused).exits(2).says("ret_1s is no direction");

    // Another board: the earlier one is shown by the command that is printed.
    let second = format!("lab train BTCUSDT {SETTINGS} --model linear --fee VIP0=5");
    let again = of_place(&place, &second).exits(0);
    let earlier = commands(&again.out);
    assert!(earlier.len() == 1 && again.out.contains("1 earlier board of dir_1s kept"), "{}", again.out);
    typed(&place, &earlier[0]).exits(0).prints("no columns of money");

    // What is asked of a target that nobody fitted names that target; the defaults want six hours, and say so.
    let none =
        Outcome::of("", place.command("lab leaderboard BTCUSDT --target ret_5s --studies none".split(' '))).exits(1);
    let [command] = &commands(&none.err)[..] else { panic!("{}", none.err) };
    assert!(none.err.contains("holds no board of ret_5s of binance-usdm:BTCUSDT"), "{}", none.err);
    assert!(command.contains("--target ret_5s --lake ") && command.ends_with(" --studies none"), "{command}");
}

#[test]
fn a_study_that_nobody_fitted_is_fitted_by_the_command_of_the_refusal() {
    let place = Place::new();
    place.write("a.csv", &snapshots(2_400, 1, 0, 7));
    let import = "lab dataset BTCUSDT --source a.csv --lake".split(' ').chain(["my lake"]);
    Outcome::of("lab dataset", place.command(import)).exits(0);
    let settings = "--target ret_1s --folds 2 --embargo 10s --rows-min 50";
    let opening = format!("lab hold-out BTCUSDT {settings} --question leads");
    remedied(&place, &opening, 2, settings);
    of_place(&place, &opening).exits(0);
    // The board that is there is of another seed.
    let other = of_place(&place, &format!("lab importance BTCUSDT {settings} --seed 2 --model linear")).exits(2);
    assert!(other.err.contains("its board was made with --folds 2 --embargo 10s --rows-min 50: give"), "{}", other.err);
    let said = json_lines(&of_place(&place, "lab report BTCUSDT --target ret_1s --json").exits(0).out).remove(0);
    assert_eq!(said["equity"], false);
    let text = of_place(&place, "lab report BTCUSDT --target ret_1s").exits(0).out;
    assert!(text.contains("without an equity curve: ret_1s is no direction over time"), "{text}");
    assert!(text.contains("without importance: test block 1 has "), "{text}");
}
