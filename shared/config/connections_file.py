"""Connections as code: what is to be done so that those of the configuration file are those that are wanted, and doing it.

Only on the machine itself: a request names connections, and no token may say which hosts these lead to.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from pydantic import SecretStr, TypeAdapter, ValidationError

from shared.config.addresses import STARS
from shared.config.connection import ConnectionName, kinds
from shared.config.origins import CONFIG_FILE
from shared.config.settings import load_settings
from shared.config.toml_text import changed, connections_in, sets_in
from shared.domain.codec import Document
from shared.domain.schedule_sets import Action
from shared.domain.wording import accepted
from shared.errors import InvalidSettings, SetupError

MODE = 0o600
MODES = 0o660  # of those that the file has already, all that may stay: others read no passwords


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStep:
    """What becomes of one connection; `changes`: field, what it is and what it will be, secrets not shown."""

    action: Action
    name: str
    changes: tuple[tuple[str, object, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionsPlan:
    """What is to be done to the file."""

    path: Path
    steps: tuple[ConnectionStep, ...]
    before: str | None  # its text; None = there is no file
    after: str

    @property
    def names(self) -> list[str]:
        """The connections that will be new or other than before."""
        return [step.name for step in self.steps if step.action in {Action.ADDED, Action.CHANGED}]


def plan(path: Path, wanted: Mapping[str, Document], set_name: str, *, prune: bool, data_dir: Path | None) -> ConnectionsPlan:
    """What is to be done, checked as the processes will check it when they read the file.

    Raises:
        InvalidSettings: with all that is not accepted. SetupError: the file cannot be read, or not be changed by a program.
    """
    _check_names(wanted)
    text = _text(path)
    known, owners = connections_in(text or ""), sets_in(text or "")
    if taken := [f"{name} (set {owners[name]})" for name in wanted if owners.get(name, set_name) != set_name]:
        raise InvalidSettings(f"connections of another set are in the way of the set {set_name}: {', '.join(taken)}")
    gone = [name for name, owner in owners.items() if prune and owner == set_name and name not in wanted]
    written = {name: fields for name, fields in wanted.items() if known.get(name) != fields or name not in owners}
    after = changed(text or "", written, gone, set_name) if written or gone else text or ""
    steps = [
        _step(name, known.get(name), fields, owner=owners.get(name, ""), set_name=set_name) for name, fields in wanted.items()
    ]
    steps += [ConnectionStep(action=Action.REMOVED, name=name) for name in gone]
    made = ConnectionsPlan(path=path, steps=tuple(steps), before=text, after=after)
    if wanted or gone:
        with TemporaryDirectory() as folder, _beside(Path(folder, path.name), after) as trial, _reading(trial):
            load_settings(data_dir=data_dir)
    return made


def open_secrets(wanted: Mapping[str, Document], hidden: Mapping[str, Collection[str]]) -> Iterator[str]:
    """`name.field` of each secret that stands written in the file, where it might be named instead."""
    for name, fields in wanted.items():
        known = _secrets(fields) if str(fields.get("kind")) in kinds else ()  # one that is not known is refused
        for field in fields:
            if field not in known or field in hidden[name]:
                continue
            if field != "url" or _has_credentials(str(fields[field])):
                yield f"{name}.{field}"


def write(plan: ConnectionsPlan) -> None:
    """Put the new text in the place of the old one, whole or not at all; raises SetupError."""
    path = plan.path.resolve()  # a link stays one
    try:
        if _text(path) != plan.before:
            raise SetupError(f"{path} was changed meanwhile; apply again")
        status = path.stat() if plan.before is not None else None
        with _beside(path, plan.after) as part:
            if status is not None:
                os.chown(part, status.st_uid, status.st_gid)
                part.chmod(stat.S_IMODE(status.st_mode) & MODES)
            part.replace(path)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}; nothing was changed") from error


def _step(name: str, known: Document | None, wanted: Document, *, owner: str, set_name: str) -> ConnectionStep:
    if known is None:
        return ConnectionStep(action=Action.ADDED, name=name, changes=tuple(_changes({}, wanted)))
    if known == wanted and owner:
        return ConnectionStep(action=Action.UNCHANGED, name=name)
    taken_over = [] if owner else [("managed_by", "", set_name)]
    return ConnectionStep(action=Action.CHANGED, name=name, changes=(*_changes(known, wanted), *taken_over))


def _changes(known: Document, wanted: Document) -> Iterator[tuple[str, object, object]]:
    hidden = _secrets(known) | _secrets(wanted)
    for field in {**known, **wanted}:
        values = known.get(field), wanted.get(field)
        if values[0] != values[1]:
            before, after = (STARS if field in hidden and value is not None else value for value in values)
            yield field, before, after


def _secrets(fields: Document) -> set[str]:
    """Fields of the connection's kind that are secret; of a kind that is not known, which is refused, all are."""
    if (kind := str(fields.get("kind"))) not in kinds:
        return set(fields)
    given = kinds[kind].model_fields.items()
    return {name for name, field in given if SecretStr in {field.annotation, *get_args(field.annotation)}}


def _has_credentials(url: str) -> bool:
    """Whether there are some in it: most addresses of databases are no secret."""
    _, _, options = url.partition("?")
    return "@" in url or re.search(r"(password|secret|token|key|sig(nature)?)=.", options, re.IGNORECASE) is not None


def _check_names(wanted: Mapping[str, Document]) -> None:
    problems = []
    for name in wanted:
        try:
            TypeAdapter(ConnectionName).validate_python(name)
        except ValidationError as error:
            problems.append(f"connections.{name[:60]}: {accepted(error.errors()[0])}")
    if problems:
        raise InvalidSettings(*problems)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {error}") from error


@contextmanager
def _beside(path: Path, text: str) -> Iterator[Path]:
    """A file of this text in the same folder, for this user alone; it goes unless somebody has moved it."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    except OSError as error:
        raise SetupError(f"{path.parent} cannot be written to: {error.strerror}") from error
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, for its mode
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield part
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Inside, settings are read from this file."""
    before = os.environ.get(CONFIG_FILE)
    os.environ[CONFIG_FILE] = str(path)
    try:
        yield
    finally:
        os.environ.pop(CONFIG_FILE)
        if before is not None:
            os.environ[CONFIG_FILE] = before
