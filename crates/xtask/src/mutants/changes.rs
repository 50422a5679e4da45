//! What an expression may become: each rule looks at one node of the syntax tree and leaves its place with the changes.
//!
//! Types are not known here. What spelling gives away is left out (a `+` beside a text, a `let` in a condition); the rest is found by
//! the compiler ([`super::build`]). Left out because nobody can notice it: capacities, and calls that only reserve or drop.

use super::place::{Change, Kind};
use syn::{BinOp, Expr, ExprCall, ExprMethodCall, Lit};

/// What else an operator may be; nothing where it stays.
pub(super) fn operators(op: &BinOp) -> (&'static str, &'static [&'static str]) {
    match op {
        BinOp::Lt(_) => ("<", &["<=", ">"]),
        BinOp::Le(_) => ("<=", &["<", ">="]),
        BinOp::Gt(_) => (">", &[">=", "<"]),
        BinOp::Ge(_) => (">=", &[">", "<="]),
        BinOp::Eq(_) => ("==", &["!="]),
        BinOp::Ne(_) => ("!=", &["=="]),
        BinOp::And(_) => ("&&", &["||"]),
        BinOp::Or(_) => ("||", &["&&"]),
        BinOp::Add(_) => ("+", &["-"]),
        BinOp::Sub(_) => ("-", &["+"]),
        BinOp::Mul(_) => ("*", &["/"]),
        BinOp::Div(_) => ("/", &["*"]),
        BinOp::Rem(_) => ("%", &["*"]),
        BinOp::AddAssign(_) => ("+=", &["-="]),
        BinOp::SubAssign(_) => ("-=", &["+="]),
        BinOp::MulAssign(_) => ("*=", &["/="]),
        BinOp::DivAssign(_) => ("/=", &["*="]),
        _ => ("", &[]),
    }
}

/// Does it assign what it computes?
pub(super) fn assigns(op: &BinOp) -> bool {
    matches!(op, BinOp::AddAssign(_) | BinOp::SubAssign(_) | BinOp::MulAssign(_) | BinOp::DivAssign(_))
}

/// May the operator of these two be another one? Texts are only ever joined, and a `let` belongs to its `&&`.
pub(super) fn may_differ(op: &BinOp, left: &Expr, right: &Expr) -> bool {
    match op {
        BinOp::Add(_) | BinOp::AddAssign(_) => !is_text(left) && !is_text(right),
        BinOp::And(_) | BinOp::Or(_) => !has_let(left) && !has_let(right),
        _ => true,
    }
}

fn is_text(e: &Expr) -> bool {
    match e {
        Expr::Lit(l) => matches!(l.lit, Lit::Str(_)),
        Expr::Reference(_) | Expr::Macro(_) => true,
        Expr::MethodCall(m) => ["to_owned", "to_string", "as_str"].iter().any(|n| m.method == n),
        Expr::Binary(b) => is_text(&b.left) || is_text(&b.right),
        _ => false,
    }
}

/// Does a condition bind what it looks at?
pub(super) fn has_let(e: &Expr) -> bool {
    match e {
        Expr::Let(_) => true,
        Expr::Binary(b) => has_let(&b.left) || has_let(&b.right),
        Expr::Paren(p) => has_let(&p.expr),
        _ => false,
    }
}

/// Other values of a literal.
pub(super) fn literal(lit: &Lit) -> Vec<Change> {
    match lit {
        Lit::Int(int) if !int.suffix().starts_with('f') => {
            let Ok(n) = int.base10_parse::<u128>() else { return Vec::new() };
            let others = [n.checked_add(1), n.checked_sub(1)].into_iter().flatten();
            others.map(|other| becomes(&n.to_string(), format!("{other}{}", int.suffix()))).collect()
        }
        Lit::Float(float) => {
            let zero = float.base10_parse::<f64>().is_ok_and(|x| x.abs() < f64::MIN_POSITIVE);
            let text = float.to_string();
            let other = if zero { format!("0.1{}", float.suffix()) } else { format!("({text} * 1.1)") };
            vec![becomes(&text, other)]
        }
        Lit::Bool(bool) => vec![Change::new(format!("`{}` becomes `{}`", bool.value, !bool.value), Kind::Flipped)],
        _ => Vec::new(),
    }
}

fn becomes(was: &str, other: String) -> Change {
    Change::new(format!("`{was}` becomes `{}`", other.trim_matches(['(', ')'])), Kind::Other(other))
}

/// Methods of one shape, each of which may be the other.
const PAIRS: [(&str, &str, usize); 6] = [
    ("min", "max", 1),
    ("any", "all", 1),
    ("is_some_and", "is_none_or", 1),
    ("first", "last", 0),
    ("saturating_add", "saturating_sub", 1),
    ("floor", "ceil", 0),
];

/// Methods that answer yes or no.
const YES_OR_NO: [(&str, usize); 8] = [
    ("is_some", 0),
    ("is_none", 0),
    ("is_ok", 0),
    ("is_err", 0),
    ("is_empty", 0),
    ("contains", 1),
    ("contains_key", 1),
    ("starts_with", 1),
];

/// The method that may stand in the place of this one.
pub(super) fn pair(call: &ExprMethodCall) -> Option<&'static str> {
    let of = |count: usize| call.args.len() == count;
    PAIRS.iter().find_map(|(a, b, count)| {
        let other = if call.method == a { Some(*b) } else { (call.method == b).then_some(*a) };
        other.filter(|_| of(*count))
    })
}

pub(super) fn answers_yes_or_no(call: &ExprMethodCall) -> bool {
    YES_OR_NO.iter().any(|(name, count)| call.method == name && call.args.len() == *count)
}

/// `Some(x)`, which may be nothing.
pub(super) fn is_some(call: &ExprCall) -> bool {
    matches!(&*call.func, Expr::Path(p) if p.path.is_ident("Some")) && call.args.len() == 1
}

/// Is only memory at stake: a capacity, a reservation, an early drop?
pub(super) fn only_memory(e: &Expr) -> bool {
    match e {
        Expr::Call(call) => {
            let Expr::Path(p) = &*call.func else { return false };
            p.path.segments.last().is_some_and(|s| s.ident == "with_capacity" || s.ident == "drop")
        }
        Expr::MethodCall(call) => call.method == "reserve" || call.method == "shrink_to_fit",
        _ => false,
    }
}

/// A statement that is a call, whatever it may fail with or wait for.
pub(super) fn is_call(e: &Expr) -> bool {
    match e {
        Expr::Call(_) | Expr::MethodCall(_) => !only_memory(e),
        Expr::Try(t) => is_call(&t.expr),
        Expr::Await(a) => is_call(&a.base),
        _ => false,
    }
}

/// Is the value behind this reference kept for ever, which a choice at run time cannot be?
pub(super) fn promoted(e: &Expr) -> bool {
    match e {
        Expr::Lit(_) | Expr::Array(_) | Expr::Tuple(_) | Expr::Repeat(_) | Expr::Struct(_) => true,
        Expr::Call(call) => matches!(&*call.func, Expr::Path(p) if p.path.segments.last().is_some_and(makes)),
        Expr::Unary(u) => promoted(&u.expr),
        Expr::Paren(p) => promoted(&p.expr),
        _ => false,
    }
}

/// Is it spelled like a type or a variant, which is called to make one?
fn makes(name: &syn::PathSegment) -> bool {
    name.ident.to_string().starts_with(char::is_uppercase)
}
