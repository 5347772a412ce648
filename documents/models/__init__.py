from documents.models.document import Document, Page, Version
from documents.models.endpoint import Endpoint
from documents.models.evaluation import EvaluationResult, EvaluationRun, GoldenPlace, GoldenQuestion
from documents.models.graph import Mention, Relation
from documents.models.index import Block, Chunk, Embedding, EmbeddingSpace, Posting
from documents.models.library import Library, Membership
from documents.models.people import User
from documents.models.receipt import ErasedVersion, Receipt
from documents.models.source import Source
from documents.models.spending import Budget, Usage

__all__ = [
    "Block",
    "Budget",
    "Chunk",
    "Document",
    "Embedding",
    "EmbeddingSpace",
    "Endpoint",
    "ErasedVersion",
    "EvaluationResult",
    "EvaluationRun",
    "GoldenPlace",
    "GoldenQuestion",
    "Library",
    "Membership",
    "Mention",
    "Page",
    "Posting",
    "Receipt",
    "Relation",
    "Source",
    "Usage",
    "User",
    "Version",
]
