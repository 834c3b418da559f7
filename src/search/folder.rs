//! The folder of an index: plain files, verified when they are opened, and locks.
//!
//! No memory maps: a file that somebody truncates would end the process. No syncs: after a power cut, files that are not
//! whole are noticed by their checksums, and the index is made anew.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::footer::Footer;
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, FileSlice, Lock, OwnedBytes, TerminatingWrite,
    WatchCallback, WatchHandle, WritePtr,
};
use twox_hash::XxHash3_64;

/// Files are verified piece by piece.
const PIECE_BYTES: usize = 1 << 20;

/// A file as it was when it was verified.
type Stamp = (u64, Option<SystemTime>);

/// A folder with the files of an index.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Verified files.
    verified: Arc<Mutex<HashMap<PathBuf, Stamp>>>,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Folder {
        Folder { path: path.to_owned(), verified: Arc::default() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the verified files of these segments are still there as they were.
    pub(crate) fn is_as_verified(&self, segments: &[String]) -> bool {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let of_segments = verified.iter().filter(|(path, _)| {
            let name = path.to_string_lossy();
            segments.iter().any(|segment| name.starts_with(segment.as_str()))
        });
        of_segments.into_iter().all(|(path, stamp)| {
            fs::metadata(self.path.join(path)).is_ok_and(|found| stamp_of(&found) == *stamp)
        })
    }

    /// Removes everything but the locks.
    pub(crate) fn wipe(&self) -> io::Result<()> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return fs::create_dir_all(&self.path),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // Only what an index consists of: whoever names a folder of his own loses nothing else.
            if is_ours(&name) && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn whole(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        fs::read(self.path.join(path)).map_err(|error| read_error(error, path))
    }
}

/// Whether a file of this name belongs to an index: its lists, and segments, which are named by 32 hexadecimal digits.
fn is_ours(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let is_segment = stem.len() == 32 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_segment || ["meta.json", ".managed.json"].iter().any(|list| name.starts_with(list))
}

fn stamp_of(found: &fs::Metadata) -> Stamp {
    (found.len(), found.modified().ok())
}

fn read_error(error: io::Error, path: &Path) -> OpenReadError {
    if error.kind() == io::ErrorKind::NotFound {
        OpenReadError::FileDoesNotExist(path.to_owned())
    } else {
        OpenReadError::wrap_io_error(error, path.to_owned())
    }
}

/// An open file, read piece by piece.
#[derive(Debug)]
struct Opened {
    file: File,
    len: usize,
}

impl HasLen for Opened {
    fn len(&self) -> usize {
        self.len
    }
}

impl FileHandle for Opened {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.start > range.end || range.end > self.len {
            let message = format!("bytes {range:?} of a file of {}", self.len);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        let mut bytes = vec![0; range.end - range.start];
        read_at(&self.file, &mut bytes, range.start as u64)?;
        Ok(OwnedBytes::new(bytes))
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                bytes = &mut bytes[count..];
                at += count as u64;
            }
        }
    }
    Ok(())
}

/// A file being written.
struct Draft(File);

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl TerminatingWrite for Draft {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.flush()
    }
}

impl Directory for Folder {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let wrong = |error: io::Error| read_error(error, path);
        let file = File::open(self.path.join(path)).map_err(wrong)?;
        let found = file.metadata().map_err(wrong)?;
        let len = usize::try_from(found.len()).map_err(|_| wrong(io::ErrorKind::FileTooLarge.into()))?;
        let opened: Arc<dyn FileHandle> = Arc::new(Opened { file, len });
        let stamp = stamp_of(&found);
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.get(path) != Some(&stamp) {
            let (footer, body) = Footer::extract_footer(FileSlice::new(opened.clone())).map_err(wrong)?;
            let mut sum = crc32fast::Hasher::new();
            for from in (0..body.len()).step_by(PIECE_BYTES) {
                let piece = body.read_bytes_slice(from..body.len().min(from + PIECE_BYTES)).map_err(wrong)?;
                sum.update(&piece);
            }
            if sum.finalize() != footer.crc {
                return Err(wrong(io::Error::new(io::ErrorKind::InvalidData, "its checksum does not match")));
            }
            verified.insert(path.to_owned(), stamp);
        }
        Ok(opened)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
        fs::remove_file(self.path.join(path)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => DeleteError::FileDoesNotExist(path.to_owned()),
            _ => DeleteError::IoError { io_error: Arc::new(error), filepath: path.to_owned() },
        })
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.path.join(path).try_exists().map_err(|error| read_error(error, path))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let file = File::create_new(self.path.join(path)).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(path.to_owned()),
            _ => OpenWriteError::wrap_io_error(error, path.to_owned()),
        })?;
        Ok(BufWriter::new(Box::new(Draft(file))))
    }

    /// Lists end with a checksum of their own, since nothing else verifies them.
    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let mut bytes = self.whole(path)?;
        let wrong =
            || read_error(io::Error::new(io::ErrorKind::InvalidData, "its checksum does not match"), path);
        let (data, sum) = bytes.split_last_chunk::<8>().ok_or_else(wrong)?;
        if XxHash3_64::oneshot(data) != u64::from_le_bytes(*sum) {
            return Err(wrong());
        }
        bytes.truncate(bytes.len() - 8);
        Ok(bytes)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        let mut bytes = data.to_vec();
        bytes.extend_from_slice(&XxHash3_64::oneshot(data).to_le_bytes());
        let target = self.path.join(path);
        let mut part = target.clone().into_os_string();
        part.push(format!(".{}.part", std::process::id()));
        let done = fs::write(&part, &bytes).and_then(|()| fs::rename(&part, &target));
        if done.is_err() {
            // Best effort: the error that matters is the one before.
            let _ = fs::remove_file(&part);
        }
        done
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        let failed = |error: io::Error| LockError::IoError(Arc::new(error));
        let file = locked_file(&self.path.join(&lock.filepath)).map_err(failed)?;
        if lock.is_blocking {
            file.lock().map_err(failed)?;
        } else {
            file.try_lock().map_err(|error| match error {
                fs::TryLockError::WouldBlock => LockError::LockBusy,
                fs::TryLockError::Error(error) => failed(error),
            })?;
        }
        Ok(DirectoryLock::from(Box::new(file)))
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        // Nobody is called: readers look for themselves before each search.
        Ok(WatchHandle::empty())
    }
}

/// The file of a lock, in a folder that may be for reading only.
pub(crate) fn locked_file(path: &Path) -> io::Result<File> {
    let made = File::options().create(true).truncate(false).write(true).open(path);
    made.or_else(|error| File::open(path).map_err(|_| error))
}
