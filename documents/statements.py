"""The SQL of `documents.vector_db`; every reading statement takes the libraries that may be read."""

from __future__ import annotations

from psycopg import sql

# Of each connection. The vector index is looked through until there are as many rows as were asked for, in about their
# order: the filter stands beside it, and may leave little. Parallel workers take longer to begin than a search takes.
SETTINGS = """
SET hnsw.ef_search = 200; SET hnsw.iterative_scan = 'relaxed_order';
SET hnsw.max_scan_tuples = 200000; SET hnsw.scan_mem_multiplier = 8;
SET max_parallel_workers_per_gather = 0
"""

LIVE_SPACE = """
SELECT id, model, dimensions, full_dimensions, query_prefix, passage_prefix FROM documents_embeddingspace
WHERE state = 'live'
"""

ADD_SPACE = """
INSERT INTO documents_embeddingspace (state, model, dimensions, full_dimensions, query_prefix, passage_prefix)
VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
"""

INDEX_SPACE = sql.SQL("""
CREATE INDEX {concurrently} {index} ON documents_embedding
USING hnsw ((vector::halfvec({dimensions})) halfvec_cosine_ops)
WITH (m = 12, ef_construction = 64) WHERE space_id = {space}
""")

KEEP_SERVING = "SELECT FROM documents_embeddingspace WHERE id = %s AND state <> 'retired' FOR SHARE"

# Of several chunks of one text, any will do. By way of chunks, however few vectors a new space is thought to have: the
# planner would look through all that it has for each hash.
KNOWN = sql.SQL("""
SELECT wanted.hash, vectors
FROM unnest(%s::bytea[]) AS wanted(hash) CROSS JOIN LATERAL (
    SELECT vectors FROM documents_chunk AS chunk CROSS JOIN LATERAL (
        SELECT array_agg(vector ORDER BY "window") AS vectors FROM documents_embedding
        WHERE space_id = {space} AND chunk_id = chunk.id
    ) AS embedded
    WHERE chunk.hash = wanted.hash AND vectors IS NOT NULL LIMIT 1
) AS any_chunk
""")

# One at a time, so that a batch's ids follow one another and its postings can be cut out together.
NEW_IDS = """
WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock('documents_chunk'::regclass::integer, 0))
SELECT nextval(pg_get_serial_sequence('documents_chunk', 'id')) FROM turn, generate_series(1, %s)
"""

REPLACE = """
DELETE FROM documents_chunk AS chunk USING unnest(%s::bigint[], %s::integer[]) AS fresh(version, position)
WHERE chunk.version_id = fresh.version AND chunk.position = fresh.position
"""

CUT_OUT = "DELETE FROM documents_chunk WHERE version_id = %s AND position >= %s AND position < %s"

MOVE_ON = "UPDATE documents_chunk SET position = position + %s WHERE version_id = %s AND position >= %s"

COPY_CHUNKS = """
COPY documents_chunk (id, version_id, position, spans, heading_path, text, tokens, hash, language, signature)
FROM STDIN (FORMAT BINARY)
"""
CHUNK_TYPES = ("int8", "int8", "int4", "jsonb", "jsonb", "text", "int4", "bytea", "text", "int4[]")

COPY_EMBEDDINGS = """
COPY documents_embedding (space_id, library_id, chunk_id, "window", vector) FROM STDIN (FORMAT BINARY)
"""
EMBEDDING_TYPES = ("int8", "int8", "int8", "int2", "halfvec")

ADMITTED = "SELECT coalesce(sum(chunks), 0)::bigint FROM documents_block WHERE library_id = ANY(%s::bigint[])"

# Added to the distance is what makes Postgres sort: it takes the index to give exactly the order that was asked for.
COUNTS = """
SELECT nearest.chunk_id, nearest.distance, chunk.signature, document.id IS NOT NULL
FROM nearest JOIN documents_chunk AS chunk ON chunk.id = nearest.chunk_id
LEFT JOIN documents_document AS document ON document.current_id = chunk.version_id
    AND document.deleted_at IS NULL AND document.library_id = ANY(%(libraries)s::bigint[])
ORDER BY nearest.distance + 0
"""

# The space and the dimensions stand in the query itself: only so does the planner see that the partial index fits.
COMPARE = sql.SQL(
    """
WITH admitted AS MATERIALIZED (
    SELECT chunk_id, vector::halfvec({dimensions}) <=> %(vector)s AS distance FROM documents_embedding
    WHERE space_id = {space} AND library_id = ANY(%(libraries)s::bigint[]) {among}
), nearest AS MATERIALIZED (
    SELECT chunk_id, distance FROM admitted ORDER BY distance LIMIT %(limit)s
)"""
    + COUNTS
)

SEARCH = sql.SQL(
    """
WITH nearest AS MATERIALIZED (
    SELECT chunk_id, vector::halfvec({dimensions}) <=> %(vector)s AS distance FROM documents_embedding
    WHERE space_id = {space} AND library_id = ANY(%(libraries)s::bigint[]) {among}
    ORDER BY vector::halfvec({dimensions}) <=> %(vector)s LIMIT %(limit)s
)"""
    + COUNTS
)

AMONG_CHUNKS = sql.SQL("AND chunk_id = ANY(%(chunks)s::bigint[])")

# Asked of one vector after the other, as the index gives them: a join might begin at the other end.
AMONG_THOSE_THAT = sql.SQL("""
AND (SELECT {condition} FROM documents_chunk AS chunk JOIN documents_version AS version ON version.id = version_id
    WHERE chunk.id = chunk_id)
""")

CURRENT = sql.SQL("""
SELECT chunk.id, chunk.signature, chunk.language FROM documents_chunk AS chunk
JOIN documents_version AS version ON version.id = chunk.version_id
JOIN documents_document AS document ON document.current_id = version.id AND document.deleted_at IS NULL
WHERE chunk.id = ANY(%(found)s::bigint[]) AND document.library_id = ANY(%(libraries)s::bigint[]) AND {condition}
""")

METADATA = (
    "chunk_id", "language", "version", "media_type", "paged", "document", "source", "title", "name", "library",
    "library_name", "given",
)  # fmt: skip

# An upload's own source is a random identity, and tells nobody anything: its name stands for it.
PASSAGE = """
SELECT chunk.id, chunk.text, chunk.spans, chunk.tokens, chunk.heading_path,
    chunk.position, chunk.language, version.id, version.media_type,
    version.media_type = 'application/pdf' OR version.media_type LIKE 'image/%%', document.id,
    CASE WHEN document.source LIKE 'upload:%%' THEN document.name ELSE document.source END,
    coalesce(nullif(document.title, ''), document.name), document.name, library.id, library.name,
    version.created::date
FROM documents_chunk AS chunk
JOIN documents_version AS version ON version.id = chunk.version_id
JOIN documents_document AS document ON document.current_id = version.id AND document.deleted_at IS NULL
JOIN documents_library AS library ON library.id = document.library_id AND library.deleted_at IS NULL
"""

PASSAGES = sql.SQL(
    PASSAGE + "WHERE chunk.id = ANY(%(found)s::bigint[]) AND library.id = ANY(%(libraries)s::bigint[]) AND {condition}"
)

ONE_OF_THE_CHUNKS = sql.SQL("chunk.id = ANY(%(chunks)s::bigint[])")

MENTIONS_IN = """
SELECT key, name, role, chunk_id, NULL FROM documents_mention
WHERE library_id = ANY(%s::bigint[]) AND chunk_id = ANY(%s::bigint[])
"""

# The strongest role first; a name that stands everywhere is read no further than the limit, and not sorted.
MENTIONS_OF = sql.SQL("""
SELECT wanted.key, told.name, told.role, told.chunk_id, told.signature
FROM unnest(%(keys)s::text[]) AS wanted(key) CROSS JOIN LATERAL (
    SELECT of_role.* FROM unnest(%(roles)s::smallint[]) AS strongest(role) CROSS JOIN LATERAL (
        SELECT mention.name, mention.role, mention.chunk_id, chunk.signature FROM documents_mention AS mention
        JOIN documents_chunk AS chunk ON chunk.id = mention.chunk_id
        JOIN documents_version AS version ON version.id = chunk.version_id
        JOIN documents_document AS document ON document.current_id = version.id AND document.deleted_at IS NULL
            AND document.library_id = mention.library_id
        WHERE mention.library_id = ANY(%(libraries)s::bigint[]) AND mention.key = wanted.key
            AND mention.role = strongest.role AND {condition}
        LIMIT %(limit)s
    ) AS of_role LIMIT %(limit)s
) AS told
""")

# Of very many chunks, each so-and-so-manieth.
COMMONEST = sql.SQL("""
WITH looked_at AS MATERIALIZED (
    SELECT chunk.id, document.library_id FROM documents_chunk AS chunk
    JOIN documents_version AS version ON version.id = chunk.version_id
    JOIN documents_document AS document ON document.current_id = version.id AND document.deleted_at IS NULL
    WHERE document.library_id = ANY(%(libraries)s::bigint[]) AND mod(chunk.id, %(every)s) = 0 AND {condition}
), told AS MATERIALIZED (
    SELECT mention.key, mention.name, mention.role, mention.chunk_id
    FROM looked_at JOIN documents_mention AS mention USING (library_id) WHERE mention.chunk_id = looked_at.id
), common AS (
    SELECT key FROM told GROUP BY key HAVING count(*) > 1 ORDER BY count(*) DESC, key LIMIT %(limit)s
)
SELECT key, name, role, chunk_id, NULL FROM told JOIN common USING (key) ORDER BY chunk_id, key
""")

# Of so many chunks that these alone are too many tokens, no more are counted.
TOKENS = sql.SQL("""
SELECT coalesce(sum(tokens), 0)::bigint FROM (
    SELECT chunk.tokens FROM documents_chunk AS chunk
    JOIN documents_version AS version ON version.id = chunk.version_id
    JOIN documents_document AS document ON document.current_id = version.id AND document.deleted_at IS NULL
    WHERE document.library_id = ANY(%(libraries)s::bigint[]) AND {condition} LIMIT %(tokens)s + 1
) AS counted
""")

WHOLE = sql.SQL(
    PASSAGE
    + """
WHERE library.id = ANY(%(libraries)s::bigint[]) AND {condition}
ORDER BY library.name, document.name, document.id, chunk.position
"""
)

NEIGHBOURS = (
    PASSAGE
    + """
WHERE chunk.id IN (
    SELECT near.id FROM documents_chunk AS found JOIN documents_chunk AS near ON near.version_id = found.version_id
        AND near.position BETWEEN found.position - %s AND found.position + %s
    WHERE found.id = ANY(%s::bigint[])
) AND library.id = ANY(%s::bigint[])
ORDER BY version.id, chunk.position
"""
)
