"""Checks an evidence pack of MailOps. It needs Python 3.9 or newer and nothing else.

    python verify.py              in the folder into which the pack was unpacked
    python verify.py pack.zip     without unpacking it

It reads, and changes nothing. It ends with 0 where all fits, with 1 where something does not, or
can't be read.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

FORMAT = "mailops-evidence-1"
MANIFEST, RECORDS, ORDERS, ITSELF = "manifest.json", "records.jsonl", "orders/", "verify.py"
# Kept beside what was confirmed: where each price came from, its label, and the order in words.
NOT_IN_DIGEST = ("sources", "labels", "details")
LARGEST = 256 * 1024 * 1024  # bytes of a file that is read as a whole
HEX = re.compile("[0-9a-f]{64}")


class Unreadable(Exception):
    """This can't be read as a pack; the message is a sentence."""


class Folder:
    """A pack that was unpacked."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        files = [file for file in self.path.rglob("*") if not file.is_dir()]
        return [file.relative_to(self.path).as_posix() for file in files]

    def open(self, name: str) -> IO[bytes]:
        return self.path.joinpath(*name.split("/")).open("rb")


class Archive:
    """A pack as it came."""

    def __init__(self, path: Path) -> None:
        self.zip = zipfile.ZipFile(path)

    def names(self) -> list[str]:
        return [entry.filename for entry in self.zip.infolist() if not entry.is_dir()]

    def open(self, name: str) -> IO[bytes]:
        return self.zip.open(name)


class Check:
    """One run: what was found right, and what was found wrong."""

    def __init__(self, pack: Folder | Archive) -> None:
        self.pack = pack
        self.right: list[str] = []
        self.wrong: list[str] = []
        self.notes: list[str] = []
        self.fingerprint = ""
        self.confirmed: dict[str, set[str | None]] = {}  # by order id: confirmed digests
        self.states: dict[str, str | None] = {}  # by order id: the last state in its records
        self.bodies: dict[Any, str | None] = {}  # by attempt id: fingerprint of the bytes sent

    def manifest(self) -> dict[str, Any]:
        raw = self.whole(MANIFEST)
        manifest = parsed(raw, MANIFEST)
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise Unreadable(
                f"{MANIFEST} is not the manifest of an evidence pack that this program knows."
            )
        files = manifest.get("files")
        if not isinstance(files, dict) or not all(
            isinstance(value, str) for value in files.values()
        ):
            raise Unreadable(f"{MANIFEST} does not list the files of the pack.")
        self.fingerprint = hashlib.sha256(raw).hexdigest()
        return manifest

    def whole(self, name: str) -> bytes:
        try:
            with self.pack.open(name) as file:
                raw = file.read(LARGEST + 1)
        except (KeyError, FileNotFoundError):
            raise Unreadable(
                f"{name} is missing, so this is no evidence pack, or not a whole one."
            ) from None
        if len(raw) > LARGEST:
            raise Unreadable(f"{name} is too large to be read.")
        return raw

    def files(self, manifest: dict[str, Any]) -> None:
        listed, before = manifest["files"], len(self.wrong)
        times = Counter(self.pack.names())
        self.wrong += [
            f"{name} is in the pack {count} times."
            for name, count in sorted(times.items())
            if count > 1
        ]
        for name in sorted(set(times) - set(listed) - {MANIFEST}):
            self.wrong.append(f"{name} is in the pack, but not in its manifest: somebody added it.")
        for name, fingerprint in sorted(listed.items()):
            if name not in times:
                self.wrong.append(f"{name} is missing.")
            elif self.fingerprint_of(name) != fingerprint:
                self.wrong.append(
                    f"{name} was altered: its fingerprint is not the one in the manifest."
                )
        self.wrong += [
            f"{name} is not in the manifest." for name in (RECORDS, ITSELF) if name not in listed
        ]
        if len(self.wrong) == before:
            self.right.append(f"All {len(listed)} files are as they were when the pack was made.")

    def fingerprint_of(self, name: str) -> str:
        found = hashlib.sha256()
        with self.pack.open(name) as file:
            try:
                for piece in iter(lambda: file.read(1024 * 1024), b""):
                    found.update(piece)
            except Exception:  # damaged within the ZIP
                return ""
        return found.hexdigest()

    def records(self, manifest: dict[str, Any]) -> None:
        about, before = manifest.get("records"), len(self.wrong)
        if not isinstance(about, dict):
            raise Unreadable(
                "The manifest does not say which records of the history are in the pack."
            )
        is_whole = about.get("whole_stretch") is True
        count, linked = 0, 0
        first: dict[str, Any] = {}
        last: dict[str, Any] = {}
        for event in self.events():
            if event.get("hash") != digest_of(event):
                self.wrong.append(
                    f"Record {event['number']} was altered:"
                    " its hash does not follow from what it says."
                )
            if last:
                linked += self.link(last, event, is_whole)
            self.remember(event, manifest)
            first, last, count = first or event, event, count + 1
        self.ends(manifest, about, first, last, count)
        neighbours = f", {linked} of them straight behind the one before" if linked else ""
        if len(self.wrong) == before:
            self.right.append(
                f"{count} records follow from one another, from {first.get('number')}"
                f" to {last.get('number')}, with none left out between them."
                if is_whole
                else f"{count} records of the order are whole{neighbours}."
            )

    def events(self) -> Iterator[dict[str, Any]]:
        try:
            with self.pack.open(RECORDS) as file:
                lines = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
                for at, line in enumerate(lines, 1):
                    event = parsed(line, f"Line {at} of {RECORDS}")
                    if not isinstance(event, dict) or type(event.get("number")) is not int:
                        raise Unreadable(f"Line {at} of {RECORDS} is no record of a history.")
                    yield event
        except (KeyError, FileNotFoundError):
            raise Unreadable(f"{RECORDS} is missing.") from None

    def link(self, last: dict[str, Any], event: dict[str, Any], is_whole: bool) -> bool:
        """True where the two are neighbours in the history."""
        number, expected = event["number"], last["number"] + 1
        if number < expected:
            self.wrong.append(
                f"Record {number} stands behind record {last['number']}:"
                " they are not in their order."
            )
        elif number > expected and is_whole:
            is_one = number == expected + 1
            gap = f"Record {expected} is" if is_one else f"Records {expected} to {number - 1} are"
            self.wrong.append(f"{gap} missing.")
        elif number == expected and event.get("previous_hash") != last.get("hash"):
            self.wrong.append(f"Record {number} does not follow from record {last['number']}.")
        return bool(number == expected)

    def remember(self, event: dict[str, Any], manifest: dict[str, Any]) -> None:
        is_order = event.get("subject_type") == "orders.order"
        order = str(event.get("subject_id"))
        if manifest.get("order") and not (is_order and order == str(manifest["order"])):
            self.wrong.append(f"Record {event['number']} is not of this order.")
        if not is_order:
            return
        if event.get("action") == "order.confirmed":
            self.confirmed.setdefault(order, set()).add(became(event, "digest"))
        if event.get("action") == "attempt.about_to_send":
            self.bodies[event.get("attempt")] = became(event, "body_sha256")
        if state := became(event, "state"):
            self.states[order] = state

    def ends(
        self,
        manifest: dict[str, Any],
        about: dict[str, Any],
        first: dict[str, Any],
        last: dict[str, Any],
        count: int,
    ) -> None:
        for what, event in (("first", first), ("last", last)):
            if about.get(what) != event.get("number"):
                self.wrong.append(
                    f"The {what} record should be {about.get(what)},"
                    f" but it is {event.get('number')}."
                )
        if about.get("count") != count:
            self.wrong.append(
                f"There should be {about.get('count')} records, but there are {count}."
            )
        head: Any = manifest.get("head")
        has_number = isinstance(head, dict) and type(head.get("number")) is int
        if not has_number or not HEX.match(str(head.get("hash"))):
            self.wrong.append("The manifest does not name the end of the history at that time.")
        elif last and last["number"] > head["number"]:
            self.wrong.append(
                f"Record {last['number']} is newer than the end of the history in the manifest."
            )
        elif last and last["number"] == head["number"] and last.get("hash") != head["hash"]:
            self.wrong.append(
                "The last record's hash is not the one in the manifest for the end of the history."
            )

    def orders(self, manifest: dict[str, Any]) -> None:
        inside = {name for name in self.pack.names() if name.startswith(ORDERS)}
        names = sorted(name for name in inside if name.endswith(".json"))
        for name in names:
            order = parsed(self.whole(name), name)
            if not isinstance(order, dict) or name != f"{ORDERS}{order.get('order')}.json":
                self.wrong.append(f"{name} is not the order that its name says.")
                continue
            before = len(self.wrong)
            was_confirmed = self.snapshot(order)
            self.attempts(order, is_whole=bool(manifest.get("order")))
            told = self.states.get(str(order.get("id")))
            if manifest.get("order") and told and told != order.get("state"):
                self.wrong.append(
                    f"{order['order']} reads “{order.get('state')}”,"
                    f" but its records end with “{told}”."
                )
            if len(self.wrong) == before:
                self.right.append(praise(order, was_confirmed))
        if manifest.get("orders") != len(names):
            self.wrong.append(
                f"There should be {manifest.get('orders')} orders, but there are {len(names)}."
            )

    def snapshot(self, order: dict[str, Any]) -> bool:
        """True where a snapshot is there. Its digest must be the order's."""
        snapshot, digest, name = order.get("snapshot"), order.get("digest"), order["order"]
        if not snapshot:
            if digest:
                self.wrong.append(f"{name} carries a digest, but what was confirmed is not there.")
            return False
        kept = {key: value for key, value in snapshot.items() if key not in NOT_IN_DIGEST}
        told = self.confirmed.get(str(order.get("id")))
        if hashed(kept) != digest:
            self.wrong.append(
                f"What was confirmed of {name} was altered: its digest is not the order's."
            )
        elif told and digest not in told:
            self.wrong.append(
                f"{name} was not confirmed with the digest that it carries: no record says so."
            )
        return True

    def attempts(self, order: dict[str, Any], *, is_whole: bool) -> None:
        known = {order.get("digest")} | self.confirmed.get(str(order.get("id")), set())
        for attempt in order["attempts"]:
            name = f"Attempt {attempt.get('number')} of {order['order']}"
            if attempt.get("digest") not in known:
                if is_whole:
                    self.wrong.append(
                        f"{name} has a digest with which the order was never confirmed."
                    )
                else:
                    self.notes.append(
                        f"{name} belongs to a confirmation that is not in this period."
                    )
            sent, told = attempt.get("body_sha256") or None, self.bodies.get(attempt.get("id"))
            if sent != told and (told or is_whole):
                self.wrong.append(
                    f"{name} sent something else than its record says:"
                    " the bytes' fingerprints differ."
                )


def parsed(raw: bytes | str, what: str) -> Any:
    try:
        return json.loads(raw.decode("utf-8") if isinstance(raw, bytes) else raw)
    except (ValueError, RecursionError):
        raise Unreadable(f"{what} can't be read: it is no JSON.") from None


def hashed(value: Any) -> str:
    """SHA-256, hex, over JSON with sorted keys and no spaces, in UTF-8, as MailOps computes it."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def digest_of(event: dict[str, Any]) -> str:
    return hashed({key: value for key, value in event.items() if key != "hash"})


def became(event: dict[str, Any], field: str) -> str | None:
    changes = event.get("changes")
    pair: Any = changes.get(field) if isinstance(changes, dict) else None
    is_pair = isinstance(pair, list) and len(pair) == 2
    return pair[1] if is_pair and isinstance(pair[1], str) else None


def praise(order: dict[str, Any], was_confirmed: bool) -> str:
    name, count = order["order"], len(order["attempts"])
    if not was_confirmed:
        return f"{name} was not confirmed, so there is nothing to compare."
    attempts = f", and so has each of its attempts ({count})" if count else ""
    return f"{name}: what was confirmed has the digest that the order carries{attempts}."


def opened(path: Path) -> Folder | Archive:
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise Unreadable(f"There is no {path}.")
    try:
        return Archive(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Unreadable(f"{path} is no ZIP file, or not a whole one.") from None


def run(path: Path, say: Callable[[str], Any]) -> bool:
    """Check one pack and print the result. True where all fits."""
    try:
        check = Check(opened(path))
        manifest = check.manifest()
    except Unreadable as error:
        say(f"This can't be checked. {error}")
        return False
    except Exception as error:  # a pack may be broken in any way, and a sentence helps more
        say(f"This can't be checked: the pack is damaged ({type(error).__name__}).")
        return False
    for step, what in (
        (check.files, "files"),
        (check.records, "records"),
        (check.orders, "orders"),
    ):
        try:
            step(manifest)
        except Unreadable as error:
            check.wrong.append(str(error))
        except Exception as error:
            check.wrong.append(
                f"The {what} can't be read to the end: they are damaged ({type(error).__name__})."
            )
    for sentence in check.right:
        say(f"Right: {sentence}")
    for sentence in sorted(set(check.notes)):
        say(f"Note: {sentence}")
    for sentence in check.wrong:
        say(f"WRONG: {sentence}")
    say(f"\nFingerprint of the manifest: {check.fingerprint}")
    if check.wrong:
        say("This pack is NOT as MailOps made it.")
        return False
    say(
        "Everything in this pack fits. Somebody could still have made up a whole pack: compare the"
        " fingerprint above"
    )
    say("with the record “evidence.exported” in MailOps, or with one that somebody else kept.")
    return True


def main(arguments: list[str]) -> int:
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(__doc__ or "")
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    path = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    return 0 if run(path, lambda sentence: sys.stdout.write(f"{sentence}\n")) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
