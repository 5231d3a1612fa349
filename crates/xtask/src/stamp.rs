//! Skips steps whose inputs have not changed since they last ran.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::config::Config;
use crate::log::slug;

/// The inputs of a step, and the file that it writes last.
#[derive(Debug)]
pub(crate) struct Stamp {
    /// The name of the file with the digest.
    file: String,
    /// Files and folders, relative to the root.
    inputs: Vec<PathBuf>,
    output: PathBuf,
}

impl Stamp {
    pub(crate) fn new(step: &str, inputs: &[&str], output: &str) -> Self {
        let inputs = inputs.iter().map(PathBuf::from).collect();
        Self { file: format!("{}.stamp", slug(step)), inputs, output: output.into() }
    }

    /// Returns true if nothing has changed since `renew`.
    pub(crate) fn is_current(&self, config: &Config) -> bool {
        let kept = fs::read_to_string(config.logs().join(&self.file));
        config.root.join(&self.output).exists()
            && kept.is_ok_and(|kept| self.digest(config).is_ok_and(|digest| digest == kept))
    }

    /// Stores the digest of the inputs, after the step has run.
    pub(crate) fn renew(&self, config: &Config) -> Result<()> {
        let file = config.logs().join(&self.file);
        fs::write(&file, self.digest(config)?).with_context(|| format!("cannot write {}", file.display()))
    }

    fn digest(&self, config: &Config) -> Result<String> {
        let mut hasher = DefaultHasher::new();
        for input in &self.inputs {
            hash(&config.root.join(input), &mut hasher)?;
        }
        Ok(format!("{:016x}", hasher.finish()))
    }
}

/// Hashes names and contents. Times would change with each checkout.
fn hash(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    path.file_name().hash(hasher);
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| hash(entry, hasher));
    }
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))?.hash(hasher);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_holds_until_an_input_changes_or_the_output_is_gone() -> Result<()> {
        let mut config = Config::read()?;
        config.root = std::env::temp_dir().join(format!("stamp-{}", std::process::id()));
        fs::create_dir_all(config.root.join("in/deep"))?;
        fs::create_dir_all(config.logs())?;
        fs::write(config.root.join("in/deep/file"), "one")?;
        let stamp = Stamp::new("step", &["in"], "out");
        assert!(!stamp.is_current(&config), "nothing was made yet");
        fs::write(config.root.join("out"), "made")?;
        stamp.renew(&config)?;
        assert!(stamp.is_current(&config));
        fs::write(config.root.join("in/deep/file"), "two")?;
        assert!(!stamp.is_current(&config));
        fs::write(config.root.join("in/deep/file"), "one")?;
        assert!(stamp.is_current(&config));
        fs::remove_file(config.root.join("out"))?;
        assert!(!stamp.is_current(&config));
        fs::remove_dir_all(&config.root)?;
        Ok(())
    }
}
