//! What each problem code means and what to do about it.

use vms_types::ProblemCode;

/// The two paragraphs of a code.
pub(super) struct Explained {
    pub(super) what: &'static str,
    pub(super) remedy: &'static str,
}

/// A code without an explanation does not compile.
pub(super) const fn explain(code: ProblemCode) -> Explained {
    use ProblemCode as P;
    let (what, remedy) = match code {
        P::MalformedBody => (
            "The body is not the JSON it should be: its syntax, a type, a missing field, or a field that does not exist.",
            "`errors` names the place. Correct the request; sending the same again gets the same answer.",
        ),
        P::MalformedParameter => (
            "A parameter of the path, the query or a header cannot be read, or does not exist.",
            "`detail` names the parameter and what it may be.",
        ),
        P::InvalidCredentials => (
            "The directory does not know the user, or the password is wrong. Which of the two is not said.",
            "Check both and log in again.",
        ),
        P::Unauthenticated => (
            "No valid token came with the request.",
            "Send `Authorization: Bearer …` with an access token or a personal access token.",
        ),
        P::SessionExpired => (
            "The token was good once; its time is over or its session was ended.",
            "Get a new access token by `/auth/refresh`, or log in again.",
        ),
        P::Forbidden => (
            "You are known, and may not do this.",
            "`detail` says what was missing: a role, or the scope `write` of a token. An administrator may help.",
        ),
        P::AccountNotAllowed => (
            "The account is right, but was disabled, or is in no group that may use the system.",
            "Ask an administrator.",
        ),
        P::ForeignOrigin => (
            "A page of another site sent the request with your session's cookie.",
            "If that page is yours, the administrator adds its origin to `allowed_origins` in `[http]`.",
        ),
        P::NotFound => (
            "There is nothing here that you can see: it does not exist, or it is someone else's.",
            "Check the path and the name; list what is yours.",
        ),
        P::MethodNotAllowed => (
            "The path exists, but does not take this method.",
            "The header `Allow` says which methods it takes.",
        ),
        P::NameTaken => ("The name is used already.", "Choose another."),
        P::WrongState => (
            "The machine's state does not allow the command, such as starting one that runs.",
            "Look at the machine's `status` and send what fits it.",
        ),
        P::MachineBusy => (
            "Another operation on the machine is under way.",
            "Wait for it: the machine's `operation` names it, `/operations/{operation}/wait` waits.",
        ),
        P::InUse => (
            "The thing cannot be removed while something uses it, such as a profile that machines carry.",
            "The detail names what uses it; change or delete that first.",
        ),
        P::NotRefreshable => (
            "The image was uploaded or published here, so there is no other server to ask for a newer one.",
            "Import or publish the newer image under the same alias, with `replace`.",
        ),
        P::NotCancellable => (
            "The operation has ended, or LXD cannot stop it at this point.",
            "Let it end, then undo what it did.",
        ),
        P::PreconditionFailed => (
            "The thing is no longer what `If-Match` names.",
            "Read it again, decide anew, and send the new `ETag`.",
        ),
        P::PayloadTooLarge => ("The body is larger than anything this API takes.", "Send less."),
        P::UnsupportedMediaType => {
            ("The body is not said to be JSON.", "Send `Content-Type: application/json`.")
        }
        P::ValidationFailed => (
            "The body can be read, but a field has a value that is not allowed.",
            "`errors` says which field breaks which rule.",
        ),
        P::InvalidImage => (
            "What was uploaded or fetched is no image that LXD can use: not a tarball, cut short, or without `metadata.yaml`.",
            "The message has LXD's reason. Make the image again, or send the two halves of a split image as `metadata` and `rootfs`.",
        ),
        P::QuotaExceeded => (
            "It would be more than you may have.",
            "`quota` says what was asked for, used and allowed. Delete what you no longer need, or ask an administrator.",
        ),
        P::IdempotencyKeyReused => {
            ("The `Idempotency-Key` came with another request before.", "Use a new key for a new request.")
        }
        P::TooManyAttempts => (
            "Too many logins failed.",
            "Wait as many seconds as `Retry-After` says, then log in with the right password.",
        ),
        P::Internal => (
            "A defect of this system.",
            "Tell an administrator the `request_id`: the log says what happened.",
        ),
        P::ServerError => (
            "The LXD server was asked and reported an error.",
            "`detail` has its words. If they do not help, tell an administrator the `request_id`.",
        ),
        P::ServerRefused => (
            "The LXD server does not trust this system's certificate, or shows another than the pinned one.",
            "Only an administrator can help.",
        ),
        P::DirectoryUnavailable => (
            "The school's directory does not answer, so nobody can log in.",
            "Try again after `Retry-After` seconds. Whoever is logged in can go on.",
        ),
        P::ServerUnavailable => {
            ("The LXD server does not answer. Nothing was changed.", "Try again after `Retry-After` seconds.")
        }
        P::DatabaseUnavailable => ("The database does not answer.", "Try again after `Retry-After` seconds."),
        P::Overloaded => (
            "As many operations wait as the system keeps in mind, of everybody or of you.",
            "Try again after `Retry-After` seconds, or send fewer at once.",
        ),
        P::ShuttingDown => (
            "The system is about to be restarted and takes no more commands. Reading still works.",
            "Try again after `Retry-After` seconds.",
        ),
        P::TooManyConnections => (
            "You listen for events from more places than one person may.",
            "Close some of them, or read the state now and then with `If-None-Match`.",
        ),
        P::UpgradeRequired => (
            "The path is a websocket's, and the request did not ask for one.",
            "Connect with a websocket client.",
        ),
        P::Other => ("A code that this version does not know.", "Read `detail`."),
    };
    Explained { what, remedy }
}
