from documents.models.document import Document, Page, Version
from documents.models.endpoint import Endpoint
from documents.models.index import Block, Chunk, Embedding, EmbeddingSpace, Posting
from documents.models.library import Library, Membership
from documents.models.people import User

__all__ = [
    "Block",
    "Chunk",
    "Document",
    "Embedding",
    "EmbeddingSpace",
    "Endpoint",
    "Library",
    "Membership",
    "Page",
    "Posting",
    "User",
    "Version",
]
