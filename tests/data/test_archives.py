"""Folders, zips and tars give the same files; what could do harm is refused by name."""

import io
import os
import shutil
import tarfile
import zipfile

import pytest

from mimic.data import archives
from mimic.data.archives import entries
from mimic.support.errors import MimicError

FILES = {"train/cat/1.png": b"one", "train/dog/2.png": b"two" * 5000, "test/cat/3.png": b"x" * 1024}


def write_folder(root, files=FILES):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def write_zip(path, files=FILES):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path, files=FILES, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def read(path):
    return {entry.name: entry.read() for entry in entries(path) if not entry.is_folder}


def refusal(path):
    with pytest.raises(MimicError) as caught:
        list(entries(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_every_kind_gives_the_same_files_whatever_its_name(tmp_path, kind):
    path = tmp_path / "no-suffix"
    if kind == "folder":
        write_folder(path)
    elif kind == "zip":
        write_zip(path)
    else:
        write_tar(path, mode="w:" + kind.partition(".")[2])
    assert read(path) == FILES


def test_hidden_files_and_litter_are_passed_over(tmp_path):
    litter = dict.fromkeys(
        ["__MACOSX/train/cat/._1.png", "train/.DS_Store", "train/cat/Thumbs.db", ".git/x"], b"-"
    )
    assert read(write_zip(tmp_path / "a.zip", FILES | litter)) == FILES
    assert read(write_folder(tmp_path / "a", FILES | litter)) == FILES


def test_names_with_a_leading_dot_folder_or_backslashes_are_understood(tmp_path):
    assert read(write_tar(tmp_path / "a.tar", {"./train/cat/1.png": b"1"})) == {"train/cat/1.png": b"1"}
    assert read(write_zip(tmp_path / "a.zip", {"train\\cat\\1.png": b"1"})) == {"train/cat/1.png": b"1"}


@pytest.mark.parametrize("name", ["../outside.png", "/etc/outside.png", "train/../../outside.png"])
@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_names_that_lead_out_are_refused(tmp_path, name, write):
    message = refusal(write(tmp_path / "archive", {name: b"x"}))
    assert "outside.png" in message and "relative names" in message


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    member = tarfile.TarInfo("train/cat/1.png")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(member)
    message = refusal(tmp_path / "a.tar")
    assert "train/cat/1.png" in message
    assert ("pack with `tar --hard-dereference`" in message) == (kind == tarfile.LNKTYPE)


def test_links_in_a_zip_are_refused(tmp_path):
    member = zipfile.ZipInfo("train/cat/1.png")
    member.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member, "/etc/passwd")
    assert "link" in refusal(tmp_path / "a.zip")


def test_links_in_a_folder_are_followed_but_never_round_in_circles(tmp_path):
    write_folder(tmp_path / "elsewhere", {"1.png": b"one"})
    root = tmp_path / "root"
    (root / "train").mkdir(parents=True)
    (root / "train" / "cat").symlink_to(tmp_path / "elsewhere")
    (root / "train" / "loop").symlink_to(root)
    names = [entry.name for entry in entries(root)]
    assert "train/cat/1.png" in names
    assert max(name.count("/") for name in names) < 6


def test_pipes_in_a_folder_are_refused_rather_than_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "pipe" in refusal(tmp_path)


def test_broken_links_in_a_folder_are_named(tmp_path):
    (tmp_path / "1.png").symlink_to(tmp_path / "nowhere")
    assert "1.png" in refusal(tmp_path)


@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_bombs_are_refused_before_anything_is_unpacked(tmp_path, monkeypatch, write):
    path = write(tmp_path / "archive", {f"train/cat/{number}.png": bytes(1000) for number in range(9)})
    assert len(read(path)) == 9
    for limit, value in (("MEMBER_BYTES", 999), ("TOTAL_BYTES", 8999), ("MEMBERS", 8)):
        with monkeypatch.context() as patch:
            patch.setattr(archives, limit, value)
            assert "unpacks to more than" in refusal(path)


def test_a_long_name_of_a_tar_can_not_fill_the_memory(tmp_path):
    header = tarfile.TarInfo("long")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**33
    (tmp_path / "a.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    assert "header" in refusal(tmp_path / "a.tar")


def test_a_zip_that_lies_about_a_size_is_found_out(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"train/cat/1.png": bytes(100_000)})
    content = path.read_bytes().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(content)
    with pytest.raises(OSError, match="damaged in the archive"):
        read(path)


def test_a_name_held_twice_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("train/cat/1.png"))
    assert "twice" in refusal(tmp_path / "a.tar")


def test_encrypted_zips_are_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"train/cat/1.png": b"one"})
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # the flag in the directory
    path.write_bytes(content)
    assert "password" in refusal(path)


def test_what_tar_itself_packs_is_read(tmp_path):
    shutil.make_archive(str(tmp_path / "real"), "gztar", write_folder(tmp_path / "folder"))
    assert read(tmp_path / "real.tar.gz") == FILES


def test_a_damaged_member_of_a_zip_spoils_that_member_alone(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.png", b"first")
        archive.writestr("2.png", b"second")
    path.write_bytes(path.read_bytes().replace(b"first", b"thirs"))
    files = entries(path)
    with pytest.raises(OSError, match="CRC"):
        next(files).read()
    assert next(files).read() == b"second"


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_tar_that_is_cut_short_is_an_error_wherever_it_is_cut(tmp_path, mode, kept):
    files = {f"train/cat/{number}.png": os.urandom(3000) for number in range(20)}
    path = write_tar(tmp_path / "a.tar", files, mode)
    content = path.read_bytes()
    used = 20 * 3584 if mode == "w" else len(content)  # a plain tar is padded at its end
    path.write_bytes(content[: int(used * kept)])
    assert "cut short" in refusal(path)


@pytest.mark.parametrize("damage", [b"", b"garbage" * 100])
def test_a_tar_that_ends_at_a_member_or_in_a_wrong_header_is_an_error(tmp_path, damage):
    path = write_tar(tmp_path / "a.tar", {"1.png": b"x" * 512, "2.png": b"y" * 512})
    path.write_bytes(path.read_bytes()[:1024] + damage)
    assert "no end mark at byte 1024" in refusal(path)


def test_a_zip_that_is_cut_short_is_an_error(tmp_path):
    path = write_zip(tmp_path / "a.zip")
    path.write_bytes(path.read_bytes()[:-40])
    assert "cut short" in refusal(path)


def test_what_is_no_archive_is_called_so(tmp_path):
    assert "no such folder" in refusal(tmp_path / "nothing")
    text = tmp_path / "notes.txt"
    text.write_text("not an archive " * 100)
    assert "neither a folder nor" in refusal(text)


def test_a_zip_of_names_in_utf8_need_not_say_so(tmp_path):
    """As some writers leave it; a name that can't be UTF-8 is in the old code page of zip."""
    path = write_zip(tmp_path / "a.zip", {"train/K\u00e4se/1.png": b"1", "train/Brot/1.png": b"2"})
    content = path.read_bytes()
    assert content.count(b"\x00\x08") >= 2  # the flag: once beside the file, once in the directory
    path.write_bytes(content.replace(b"\x00\x08\x08\x00", b"\x00\x00\x08\x00"))
    assert set(read(path)) == {"train/K\u00e4se/1.png", "train/Brot/1.png"}
    old = write_zip(tmp_path / "b.zip", {"train/Kxse/1.png": b"1"})
    old.write_bytes(old.read_bytes().replace(b"Kxse", b"K\x84se"))
    assert set(read(old)) == {"train/K\u00e4se/1.png"}
