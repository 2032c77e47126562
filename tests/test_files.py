import pytest

from vec2gpt.files import replacing


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "folder" / "file.txt"
    with replacing(path) as draft:
        draft.write_text("first")
        assert not path.exists()
    with pytest.raises(OSError), replacing(path) as draft:
        draft.write_text("half of the sec")
        raise OSError("disk full")
    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]
