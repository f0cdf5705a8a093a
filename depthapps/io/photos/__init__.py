"""Pictures and what stands inside their files: JPEG, PNG, HEIF, EXIF, XMP, second views, depth."""
