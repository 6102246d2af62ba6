//! How photos are prepared and how weights are licensed, as the files beside a checkpoint tell it.

use crate::failure::Failure;
use crate::output::say;
use crate::small_files::SmallFiles;
use checkpoint::Settings;
use checkpoint::hub_config::{self, CARD, Taken};

/// Fills in what the settings leave open, and tells what came from where.
pub fn fill_in(settings: &mut Settings, files: &SmallFiles<'_>) -> Result<(), Failure> {
    let taken = pollster::block_on(hub_config::fill_in(settings, async |name| files.read(name), refusal))?;
    for Taken { file, fields } in taken {
        match &settings.license {
            Some(license) if file == CARD => say(&format!("license {license} from {CARD}")),
            _ => say(&format!("{} from {file}", listed(&fields))),
        }
    }
    Ok(())
}

fn refusal(name: &str, reason: &str) -> Failure {
    Failure::Data(format!(
        "{name} beside the checkpoint can't be followed: {reason}. To convert without it, give --mean, --std and \
         --short-side"
    ))
}

/// `mean, std and crop`
fn listed(names: &[&str]) -> String {
    match names {
        [names @ .., last] if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        names => names.concat(),
    }
}
