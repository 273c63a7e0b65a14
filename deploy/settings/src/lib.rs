//! How every program reads its configuration and speaks to its log: the same way.
//!
//! Comes in: a TOML file (or none: every program runs on defaults). Goes out: the program's own typed settings, or an
//! error that names the file, the line, the unknown key and the nearest key that exists. A leaf crate: it knows nothing
//! of any program.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a configuration could not be used. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file could not be read.
    #[error("read the configuration {path}: {source}; check that it exists and may be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not TOML of the right shape.
    #[error("{path}: {message}{hint}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// Line, column and reason.
        message: String,
        /// The nearest key that exists, where one is near.
        hint: String,
    },
}

/// Reads settings from a file, or the defaults where no file is named. The type should use
/// `#[serde(deny_unknown_fields, default)]`, so that a typo is an error.
pub fn load<S: DeserializeOwned + Default>(path: Option<&Path>) -> Result<S, SettingsError> {
    let Some(path) = path else { return Ok(S::default()) };
    let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
    parse(&text, path)
}

/// Reads settings from text; `path` is for messages.
pub fn parse<S: DeserializeOwned>(text: &str, path: &Path) -> Result<S, SettingsError> {
    toml::from_str(text).map_err(|error| SettingsError::Shape {
        path: path.to_owned(),
        message: error.to_string().trim_end().to_owned(),
        hint: nearest_key(error.message()).map(|key| format!("; did you mean `{key}`?")).unwrap_or_default(),
    })
}

/// From serde's "unknown field `a`, expected one of `b`, `c`": the expected key nearest to the unknown one.
fn nearest_key(message: &str) -> Option<&str> {
    if !message.starts_with("unknown field") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    quoted
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().max(3) / 2)
        .map(|(_, known)| known)
}

/// Starts the program's log on standard error: readable alone, level from `LUYTRE_LOG` (default `info`).
pub fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LUYTRE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,tantivy=warn"));
    // A second start (in tests) keeps the first one's settings.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Example {
        collector: String,
        interfaces: Vec<String>,
    }

    #[test]
    fn a_typo_is_named_with_the_nearest_key() {
        let error = parse::<Example>("colector = \"x\"\n", Path::new("sensor.toml")).unwrap_err().to_string();
        assert!(error.starts_with("sensor.toml: "), "{error}");
        assert!(error.contains("line 1"), "{error}");
        assert!(error.ends_with("did you mean `collector`?"), "{error}");
    }

    #[test]
    fn a_key_like_no_other_gets_no_guess() {
        let error = parse::<Example>("zzzzzzzzzz = 1\n", Path::new("sensor.toml")).unwrap_err().to_string();
        assert!(!error.contains("did you mean"), "{error}");
    }

    #[test]
    fn no_file_means_defaults_and_a_missing_file_is_an_error() {
        let example: Example = load(None).unwrap();
        assert!(example.collector.is_empty() && example.interfaces.is_empty());
        let error = load::<Example>(Some(Path::new("/nonexistent/sensor.toml"))).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/sensor.toml"), "{error}");
    }
}
