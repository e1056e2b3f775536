"""What the loopback Hub answers: the part of the Hub's HTTP interface that datasets need."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from contextlib import suppress
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import parse_qs, urlencode

import yaml

from hub_connection import Connection, Refusal, Reply, as_json, route
from hub_repositories import Commit, Entry, Repository, UnknownRevision, is_large, names_below

USER = "somebody"


def front_matter(card: bytes) -> dict[str, Any]:
    """The metadata at the top of a README.md; raises yaml.YAMLError."""
    parts = card.decode().split("---\n", 2)
    found = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    return found if isinstance(found, dict) else {}


def asked_span(asked: str | None, size: int) -> range | None:
    """The bytes that a Range header asks of a file; nothing where the file does not reach so far.

    Known are `bytes=a-b`, `bytes=a-` and `bytes=-n`.
    """
    if asked is None:
        return range(size)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    return range(start, end) if start < end else None


class Handler(Connection):
    """Does the work of one request after the other."""

    def _page(self, items: list[Any]) -> Reply:
        """One page of them, and where the next is."""
        start = int(self.query.get("cursor", ["0"])[0])
        end, links = start + self.hub.page, {}
        if end < len(items):
            query = urlencode({**self.query, "cursor": end}, doseq=True)
            links["Link"] = f'<{self.hub.url}{self.place}?{query}>; rel="next"'
        return as_json(items[start:end], **links)

    def _flag(self, name: str) -> bool:
        return self.query.get(name, [""])[0].lower() in ("true", "1")

    def _has_token(self) -> bool:
        given = self.headers.get("Authorization")
        if self.hub.token is None or given == f"Bearer {self.hub.token}":
            return True
        if given is not None:
            raise Refusal(401, "Invalid credentials in Authorization header")
        return False

    def _need_token(self) -> None:
        if not self._has_token():
            raise Refusal(401, "Invalid username or password.")

    def _repository(self, name: str, *, write: bool = False) -> Repository:
        """The repository, if whoever asks may see it (`write`: change it).

        Without a token a private one and none look alike. From an https address the client takes
        a 401 for RepoNotFound by itself, from ours only where it is told.
        """
        repository = self.hub.repositories.get(name)
        hidden = write or repository is None or repository.private
        if hidden and not self._has_token():
            raise Refusal(401, "Invalid username or password.", "RepoNotFound")
        if repository is None:
            raise Refusal(404, "Repository not found", "RepoNotFound")
        return repository

    def _at(self, name: str, revision: str) -> tuple[Repository, Commit]:
        repository = self._repository(name)
        try:
            return repository, repository.at(revision)
        except UnknownRevision as error:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound") from error

    @route("GET", "/api/whoami-v2")
    def whoami(self) -> Reply:
        self._need_token()
        access = {"displayName": "test", "role": "write"}
        auth = {"type": "access_token", "accessToken": access}
        return as_json({"type": "user", "name": USER, "orgs": [], "auth": auth})

    @route("POST", "/api/repos/create")
    def create_repository(self) -> Reply:
        self._need_token()
        asked = self._json()
        name = f"{asked.get('organization') or USER}/{asked['name']}"
        url = f"{self.hub.url}/datasets/{name}"
        if asked.get("type", "model") not in ("dataset", "model"):
            raise Refusal(400, "The test Hub has only datasets and models")
        with self.hub.lock:
            if name in self.hub.repositories:
                told = {"error": "You already created this dataset repo", "url": url}
                return as_json(told, 409)
            repository = Repository(name, asked.get("visibility") == "private")
            attributes = self.hub.keep(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n")
            repository.commit("main", {".gitattributes": attributes}, "initial commit")
            self.hub.repositories[name] = repository
        return as_json({"url": url, "name": name, "id": name})

    @route("DELETE", "/api/repos/delete")
    def delete_repository(self) -> Reply:
        self._need_token()
        asked = self._json()
        name = f"{asked.get('organization') or USER}/{asked['name']}"
        if self.hub.repositories.pop(name, None) is None:
            raise Refusal(404, "Repository not found", "RepoNotFound")
        return as_json({})

    @route("PUT", "/api/datasets/{name}/settings")
    def change_settings(self, name: str) -> Reply:
        repository, asked = self._repository(name, write=True), self._json()
        if "visibility" in asked:
            repository.private = asked["visibility"] == "private"
        return as_json({})

    @route("POST", "/api/validate-yaml")
    def validate_card(self) -> Reply:
        try:
            front_matter(self._json()["content"].encode())
        except yaml.YAMLError as error:
            return as_json({"errors": [{"message": str(error)}], "warnings": []}, 400)
        return as_json({"errors": [], "warnings": []})

    @route("POST", "/api/datasets/{name}/preupload/{rev}")
    def preupload(self, name: str, rev: str) -> Reply:
        self._repository(name, write=True)
        _, commit = self._at(name, rev)
        told = []
        for asked in self._json()["files"]:
            path, entry = asked["path"], commit.files.get(asked["path"])
            mode = "lfs" if is_large(path, asked["size"]) else "regular"
            known = {} if entry is None else {"oid": entry.etag}
            told.append({"path": path, "uploadMode": mode, "shouldIgnore": False, **known})
        return as_json({"files": told})

    @route("POST", "/datasets/{name}\\.git/info/lfs/objects/batch")
    def announce(self, name: str) -> Reply:
        self._repository(name, write=True)
        told = []
        for asked in self._json()["objects"]:
            oid = str(asked["oid"])
            if not self.hub.lfs_file(oid).exists():
                self.hub.awaited.add(oid)
                upload = {"href": f"{self.hub.url}/lfs/{oid}", "header": {}}
                verify = {"href": f"{self.hub.url}/api/datasets/{name}/lfs-verify", "header": {}}
                asked["actions"] = {"upload": upload, "verify": verify}
            told.append({**asked, "authenticated": True})
        reply = as_json({"transfer": "basic", "objects": told})
        reply.headers["Content-Type"] = "application/vnd.git-lfs+json"
        return reply

    @route("PUT", "/lfs/(?P<oid>[0-9a-f]{64})")
    def upload(self, oid: str) -> Reply:
        if oid not in self.hub.awaited:
            raise Refusal(403, "Nobody announced this file")
        digest = hashlib.sha256()
        with NamedTemporaryFile(dir=self.hub.storage) as file:
            for data in self.body:
                digest.update(data)
                file.write(data)
            file.flush()
            if digest.hexdigest() != oid:
                raise Refusal(400, "These are not the bytes that were announced")
            with suppress(FileExistsError):
                os.link(file.name, self.hub.lfs_file(oid))
        return Reply()

    @route("POST", "/api/datasets/{name}/lfs-verify")
    def verify_upload(self, name: str) -> Reply:
        self._repository(name, write=True)
        asked = self._json()
        file = self.hub.lfs_file(asked["oid"])
        if not file.exists() or file.stat().st_size != asked["size"]:
            raise Refusal(404, "The file did not arrive")
        return as_json({})

    @route("GET", "/api/datasets/{name}/xet-(?P<kind>read|write)-token/{rev}")
    def xet_token(self, name: str, kind: str, rev: str) -> Reply:
        self._repository(name, write=kind == "write")
        store, until = f"local://{self.hub.storage / 'xet'}", int(time.time()) + 3600
        told = {"casUrl": store, "exp": until, "accessToken": "xet"}
        headers = {
            "X-Xet-Cas-Url": store,
            "X-Xet-Token-Expiration": str(until),
            "X-Xet-Access-Token": "xet",
        }
        return as_json(told, **headers)

    @route("POST", "/api/datasets/{name}/commit/{rev}")
    def commit(self, name: str, rev: str) -> Reply:
        repository = self._repository(name, write=True)
        header, *operations = [json.loads(line) for line in b"".join(self.body).splitlines()]
        about = header["value"]
        with self.hub.lock:
            _, head = self._at(name, rev)
            if rev not in repository.branches:
                raise Refusal(404, f"{rev} is not a branch", "RevisionNotFound")
            if not head.oid.startswith(about.get("parentCommit") or head.oid):
                raise Refusal(412, "A commit has happened since. Please refresh and try again.")
            files = dict(head.files)
            for operation in operations:
                self._apply(operation["key"], operation["value"], files)
            commit = repository.commit(rev, files, about["summary"], about.get("description", ""))
        url = f"{self.hub.url}/datasets/{name}/commit/{commit.oid}"
        told = {"success": True, "commitOid": commit.oid, "commitUrl": url, "hookOutput": ""}
        return as_json({**told, "pullRequestUrl": None})

    def _apply(self, key: str, value: dict[str, Any], files: dict[str, Entry]) -> None:
        path = value["path"]
        if key == "file":
            files[path] = self.hub.keep(base64.b64decode(value["content"]))
        elif key == "lfsFile":
            entry = self.hub.uploaded(value["oid"], value.get("size", 0))
            if entry is None:
                what = "an LFS pointer pointed to a file that does not exist"
                raise Refusal(400, f"Your push was rejected because {what}. Offending file: {path}")
            files[path] = entry
        else:
            inside = f"{path.rstrip('/')}/" if key == "deletedFolder" else None
            gone = [p for p in files if p == path or (inside and p.startswith(inside))]
            if not gone:
                raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound")
            for one in gone:
                del files[one]

    @route("POST", "/api/datasets/{name}/(?P<kind>tag|branch)/{rev}")
    def create_ref(self, name: str, kind: str, rev: str) -> Reply:
        repository, asked = self._repository(name, write=True), self._json()
        with self.hub.lock:
            if kind == "tag":
                refs, new, start = repository.tags, asked["tag"], rev
            else:
                refs, new, start = repository.branches, rev, asked.get("startingPoint") or "main"
            if new in refs:
                raise Refusal(409, f"The {kind} {new} already exists")
            refs[new] = self._at(name, start)[1].oid
        return as_json({})

    @route("DELETE", "/api/datasets/{name}/(?P<kind>tag|branch)/{rev}")
    def delete_ref(self, name: str, kind: str, rev: str) -> Reply:
        repository = self._repository(name, write=True)
        refs = repository.tags if kind == "tag" else repository.branches
        if refs.pop(rev, None) is None:
            raise Refusal(404, f"There is no {kind} {rev}", "RevisionNotFound")
        return as_json({})

    @route("GET", "/api/datasets/{name}/refs")
    def refs(self, name: str) -> Reply:
        repository = self._repository(name)
        told: dict[str, list[dict[str, str]]] = {"converts": [], "pullRequests": []}
        for kind, place in (("branches", "heads"), ("tags", "tags")):
            told[kind] = [
                {"name": ref, "ref": f"refs/{place}/{ref}", "targetCommit": oid}
                for ref, oid in sorted(getattr(repository, kind).items())
            ]
        return as_json(told)

    @route("GET", "/api/datasets/{name}(/revision/{rev})?")
    def repository_info(self, name: str, rev: str) -> Reply:
        repository, commit = self._at(name, rev or "main")
        card, history = commit.files.get("README.md"), list(repository.history(commit))
        told: dict[str, Any] = {"_id": name, "id": name, "author": name.partition("/")[0]}
        told |= {"sha": commit.oid, "private": repository.private}
        told |= {"lastModified": commit.date, "createdAt": history[-1].date}
        told |= {"gated": False, "disabled": False, "tags": [], "downloads": 0, "likes": 0}
        told["siblings"] = [{"rfilename": path, "size": e.size} for path, e in commit.files.items()]
        with suppress(yaml.YAMLError):
            told["cardData"] = front_matter(card.read()) if card else {}
        return as_json(told)

    @route("GET", "/api/datasets/{name}/tree/{rev}(/(?P<path>.+))?")
    def tree(self, name: str, rev: str, path: str) -> Reply:
        repository, commit = self._at(name, rev)
        names = names_below(commit, path, recursive=self._flag("recursive"))
        if path and not names:
            raise Refusal(404, f"{path} does not exist", "EntryNotFound")
        expand = self._flag("expand")
        return self._page([repository.describe(commit, name, expand) for name in names])

    @route("POST", "/api/datasets/{name}/paths-info/{rev}")
    def paths_info(self, name: str, rev: str) -> Reply:
        repository, commit = self._at(name, rev)
        form = parse_qs(b"".join(self.body).decode())
        expand = form.get("expand", [""])[0].lower() == "true"
        told = [repository.describe(commit, path, expand) for path in form.get("paths", [])]
        return as_json([entry for entry in told if entry is not None])

    @route("GET", "/api/datasets/{name}/commits/{rev}")
    def commits(self, name: str, rev: str) -> Reply:
        told = []
        repository, head = self._at(name, rev)
        for commit in repository.history(head):
            about = {"id": commit.oid, "title": commit.title, "message": commit.message}
            told.append({**about, "date": commit.date, "authors": [{"user": USER}]})
        return self._page(told)

    @route("GET", "/datasets/{name}/resolve/{rev}/(?P<path>.+)")
    def resolve(self, name: str, rev: str, path: str) -> Reply:
        _, commit = self._at(name, rev)
        headers = {"X-Repo-Commit": commit.oid, "Accept-Ranges": "bytes"}
        entry, asked = commit.files.get(path), self.headers.get("Range")
        if entry is None:
            raise Refusal(404, "Entry not found", "EntryNotFound", headers)
        headers["ETag"] = f'"{entry.etag}"'
        if entry.large:
            headers |= {"X-Linked-Etag": f'"{entry.etag}"', "X-Linked-Size": str(entry.size)}
        if entry.xet:
            route = f"{self.hub.url}/api/datasets/{name}/xet-read-token/{commit.oid}"
            headers |= {"X-Xet-Hash": entry.xet, "X-Xet-Refresh-Route": route}
        if entry.file is None and self.command == "GET":
            raise Refusal(501, "Only hf_xet can read this file")
        span = asked_span(asked, entry.size)
        if span is None:
            raise Refusal(416, "Range", headers={"Content-Range": f"bytes */{entry.size}"})
        if asked:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{entry.size}"
        return Reply(b"", 206 if asked else 200, headers, entry.file, span)
