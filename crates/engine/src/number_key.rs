//! Numbers of a rule book that have a name and a range: how they are found, read and written.

/// One of them.
#[derive(Debug)]
pub struct NumberKey<T> {
    /// Name in its table.
    pub name: &'static str,
    /// Smallest and largest value.
    pub range: (f64, f64),
    /// What it means.
    pub meaning: &'static str,
    pub(crate) get: fn(&T) -> f64,
    pub(crate) set: fn(&mut T, f64),
}

impl<T> NumberKey<T> {
    /// Sets the key of this name.
    ///
    /// # Errors
    /// What is wrong, in words, when there is no such key or the value lies outside its range.
    pub(crate) fn set_in(keys: &[Self], of: &mut T, name: &str, value: f64) -> Result<(), String> {
        let Some(key) = keys.iter().find(|k| k.name == name) else {
            let near = keys.iter().map(|k| k.name).min_by_key(|k| strsim::damerau_levenshtein(k, name));
            return Err(format!("there is no threshold '{name}'; did you mean '{}'?", near.unwrap_or_default()));
        };
        let (lo, hi) = key.range;
        if !(lo..=hi).contains(&value) {
            return Err(format!("'{name}' is {value}; it lies between {lo} and {hi}"));
        }
        (key.set)(of, value);
        Ok(())
    }
}
