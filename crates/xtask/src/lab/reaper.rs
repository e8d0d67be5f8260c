//! Undoing what the lab did, whatever happens to the process that did it.
//!
//! `Drop` runs at the end of a test and on panic, but not when the process is killed or aborts, and not on
//! Ctrl-C in `cargo test`. So every part of the lab arms a [`Reaper`]: a small shell in a process group of its
//! own that reads from a pipe whose other end we hold. When we let go of it, because we are done or because
//! we are dead, the shell sees the end of the pipe and runs its script. The normal way and the emergency way
//! are one and the same, so the emergency way is tried every day.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context as _, Result};

/// Shell functions that every script can use. `$DIR` is the directory of the part.
const TOOLS: &str = r#"
ours() { # ids of the processes whose command line names $DIR and whose program is one of the words in $1
    for p in /proc/[0-9]*; do
        case "$(tr '\0' ' ' <"$p/cmdline")" in
            *"$DIR/"*) case " $1 " in *" $(cat "$p/comm") "*) echo "${p#/proc/}" ;; esac ;;
        esac
    done 2>/dev/null
}
end_ours() { # the programs in $1: signal $2 (TERM), five seconds, KILL
    for signal in "${2:-TERM}" KILL; do
        for p in $(ours "$1"); do kill -$signal "$p" 2>/dev/null; done
        n=0
        while [ -n "$(ours "$1")" ] && [ $n -lt 25 ]; do sleep 0.2; n=$((n+1)); done
    done
}
unmount_below() { # deepest first
    cut -d' ' -f2 /proc/self/mounts | grep "^$DIR/" | sort -r | while read -r m; do umount -l "$m"; done
}
"#;

/// Holds the lifeline of one undo script. Dropping it runs the script and waits for its end.
#[derive(Debug)]
pub struct Reaper {
    shell: Child,
    lifeline: Option<ChildStdin>,
    dir: PathBuf,
}

impl Reaper {
    /// Arms a reaper for `dir`: when dropped (or when this process dies) it runs `script`, which finds the
    /// directory in `$DIR`, and then removes the directory.
    ///
    /// # Errors
    /// When no shell can be started.
    pub fn arm(dir: &Path, script: &str) -> Result<Self> {
        // What the script complains about goes to a file beside the directory; a clean end removes it.
        let whole = format!(
            "{TOOLS}\nexec 2>\"$DIR.undo.log\"\n{script}\nrm -rf --one-file-system \"$DIR\"\n\
             [ ! -e \"$DIR\" ] || exit 1\nrm -f \"$DIR.undo.log\"\n"
        );
        // The script travels in the environment: its own command line must not name $DIR (see `ours`).
        let mut shell = Command::new("sh")
            .args(["-c", "cat >/dev/null; eval \"$UNDO\""])
            .env("UNDO", whole)
            .env("DIR", dir)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start sh")?;
        let lifeline = shell.stdin.take();
        Ok(Self { shell, lifeline, dir: dir.to_owned() })
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let log = format!("{}.undo.log", self.dir.display());
        match self.shell.wait() {
            Ok(status) if status.success() => {}
            Ok(_) => crate::ui::say(format!(
                "could not take down everything in {}: {}",
                self.dir.display(),
                crate::proc::tail(Path::new(&log), 10)
            )),
            Err(error) => crate::ui::say(format!("lost the reaper of {}: {error}", self.dir.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dropping_runs_the_script_and_removes_the_directory() {
        let dir = crate::lab::open_dir("vms-reaper-").unwrap();
        let witness = tempfile::tempdir().unwrap();
        let file = witness.path().join("ran");
        let reaper = Reaper::arm(&dir, &format!("echo \"$DIR\" >{}", file.display())).unwrap();
        assert!(dir.exists() && !file.exists());
        drop(reaper);
        assert!(!dir.exists());
        assert_eq!(std::fs::read_to_string(file).unwrap().trim(), dir.display().to_string());
    }

    #[test]
    fn processes_of_the_directory_are_ended_and_no_others() {
        let dir = crate::lab::open_dir("vms-reaper-").unwrap();
        let mut other = Command::new("sleep").arg("1000").spawn().unwrap();
        let script = dir.join("s.sh");
        std::fs::write(&script, "while :; do sleep 0.1; done\n").unwrap();
        let mut mine = Command::new("sh").arg(&script).spawn().unwrap();
        drop(Reaper::arm(&dir, "end_ours sh").unwrap());
        let ended =
            crate::proc::wait_for("the end", Duration::from_secs(5), || Ok(mine.try_wait()?)).unwrap();
        assert!(!ended.success());
        assert!(other.try_wait().unwrap().is_none(), "a process that is not ours was ended");
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
