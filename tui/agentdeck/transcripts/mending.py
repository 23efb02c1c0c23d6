"""Texts of decoded records, as they can be written anywhere."""


def mended(value: object) -> object:
    """Replace what is no character in the texts of a decoded value."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [mended(item) for item in value]
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    return value
