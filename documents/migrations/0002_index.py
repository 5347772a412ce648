"""What the index does in the database itself, so that however a chunk goes, nothing that was made of it stays."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models.deletion import DO_NOTHING

CASCADES = (
    ("documents_chunk", "version_id", "documents_version"),
    ("documents_embedding", "chunk_id", "documents_chunk"),
    ("documents_embedding", "space_id", "documents_embeddingspace"),
    ("documents_embedding", "library_id", "documents_library"),
    ("documents_block", "library_id", "documents_library"),
    ("documents_posting", "block_id", "documents_block"),
)

CASCADE = """
DO $$
DECLARE made name := (
    SELECT conname FROM pg_constraint
    WHERE contype = 'f' AND conrelid = '{table}'::regclass AND confrelid = '{parent}'::regclass
);
BEGIN
    EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', made);
    ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_cascades
        FOREIGN KEY ({column}) REFERENCES {parent} ON DELETE CASCADE;
END $$;
"""

STORAGE = """
-- Scored in Python: sent as they are. A vector out of line would make exact search four times slower.
ALTER TABLE documents_posting ALTER packed SET STORAGE EXTERNAL;
ALTER TABLE documents_embedding ALTER vector SET STORAGE PLAIN;
"""

PACKED = """
-- The chunk id of the posting at a place (0-based) in packed postings of 8 bytes: chunk 4, frequency 2, length 2,
-- little-endian.
CREATE FUNCTION documents_chunk_at(packed bytea, place integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT get_byte(packed, 8 * place) + 256 * get_byte(packed, 8 * place + 1)
        + 65536 * get_byte(packed, 8 * place + 2) + 16777216::bigint * get_byte(packed, 8 * place + 3)
$$;

-- How many postings stand before those of a chunk: a binary search, as they are in order.
CREATE FUNCTION documents_place_of(packed bytea, chunk bigint) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE low integer := 0; high integer := length(packed) / 8; middle integer;
BEGIN
    WHILE low < high LOOP
        middle := (low + high) / 2;
        IF get_byte(packed, 8 * middle) + 256 * get_byte(packed, 8 * middle + 1)
            + 65536 * get_byte(packed, 8 * middle + 2) + 16777216::bigint * get_byte(packed, 8 * middle + 3) < chunk
        THEN low := middle + 1; ELSE high := middle; END IF;
    END LOOP;
    RETURN low;
END $$;

-- The chunk lengths of packed postings, summed.
CREATE FUNCTION documents_length_of(packed bytea) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(sum(get_byte(packed, at + 6) + 256 * get_byte(packed, at + 7)), 0)
    FROM generate_series(0, length(packed) - 8, 8) AS at
$$;
"""

FORGET = """
-- Take chunks out of a block's postings: by a cut where they stand together, else one by one.
CREATE FUNCTION documents_cut(block bigint, chunks bigint[], first bigint[], last bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(first) <= 8 THEN
        FOR stretch IN 1 .. cardinality(first) LOOP
            UPDATE documents_posting SET packed =
                substring(packed FOR 8 * documents_place_of(packed, first[stretch]))
                || substring(packed FROM 1 + 8 * documents_place_of(packed, last[stretch] + 1))
            WHERE block_id = block
            AND documents_place_of(packed, first[stretch]) < documents_place_of(packed, last[stretch] + 1);
        END LOOP;
    ELSE
        UPDATE documents_posting SET packed = coalesce((
            SELECT string_agg(substring(packed FROM 1 + 8 * place FOR 8), '' ORDER BY place)
            FROM generate_series(0, length(packed) / 8 - 1) AS place
            WHERE documents_chunk_at(packed, place) <> ALL (chunks)
        ), '') WHERE block_id = block;
    END IF;
    DELETE FROM documents_posting WHERE block_id = block AND packed = '';
    UPDATE documents_block SET
        chunks = length(packed) / 8,
        length = documents_length_of(packed),
        versions = ARRAY(
            SELECT DISTINCT version_id FROM generate_series(0, length(packed) / 8 - 1) AS place
            JOIN documents_chunk ON documents_chunk.id = documents_chunk_at(packed, place)
        )
    FROM documents_posting
    WHERE documents_block.id = block AND block_id = block AND term = '';
END $$;

-- The postings of the term '' list all chunks of a block, so they tell which blocks held chunks that are gone.
CREATE FUNCTION documents_forget() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    of_versions bigint[] := (SELECT array_agg(DISTINCT version_id) FROM gone);
    held record;
BEGIN
    IF of_versions IS NULL THEN
        RETURN NULL;
    END IF;
    -- A merge would carry the postings into a block that this transaction can't see: one at a time in a library.
    PERFORM pg_advisory_xact_lock('documents_block'::regclass::integer, library::integer)
    FROM (SELECT DISTINCT library_id FROM documents_block WHERE versions && of_versions ORDER BY 1) AS each(library);
    FOR held IN
        WITH listed AS (
            SELECT block_id, place, documents_chunk_at(packed, place) AS chunk
            FROM documents_block JOIN documents_posting ON block_id = documents_block.id AND term = '',
                generate_series(0, length(packed) / 8 - 1) AS place
            WHERE versions && of_versions
        ), lost AS (
            SELECT block_id, chunk, place - row_number() OVER (PARTITION BY block_id ORDER BY place) AS stretch
            FROM listed JOIN gone ON gone.id = chunk
        ), stretches AS (
            SELECT block_id, array_agg(chunk) AS chunks, min(chunk) AS first, max(chunk) AS last
            FROM lost GROUP BY block_id, stretch
        )
        SELECT stretches.block_id, array_agg(first) AS first, array_agg(last) AS last,
            ARRAY(SELECT chunk FROM lost WHERE lost.block_id = stretches.block_id) AS chunks,
            (SELECT count(*) FROM listed WHERE listed.block_id = stretches.block_id) AS listed
        FROM stretches GROUP BY stretches.block_id
    LOOP
        IF cardinality(held.chunks) = held.listed THEN
            DELETE FROM documents_block WHERE id = held.block_id;
        ELSE
            PERFORM documents_cut(held.block_id, held.chunks, held.first, held.last);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER documents_forget AFTER DELETE ON documents_chunk
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION documents_forget();
"""


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]

    operations = [
        migrations.AlterField(
            "chunk",
            "version",
            models.ForeignKey("documents.Version", DO_NOTHING, related_name="chunks", db_index=False),
        ),
        migrations.AlterField(
            "embedding", "library", models.ForeignKey("documents.Library", DO_NOTHING, related_name="+", db_index=False)
        ),
        migrations.AlterField(
            "embedding",
            "space",
            models.ForeignKey("documents.EmbeddingSpace", DO_NOTHING, related_name="+", db_index=False),
        ),
        migrations.AlterField(
            "posting",
            "library",
            models.ForeignKey(
                "documents.Library", DO_NOTHING, related_name="+", db_index=False, db_constraint=False
            ),
        ),
        migrations.AddIndex("block", GinIndex(fields=["versions"], name="blocks_of_a_version")),
        migrations.AddIndex("embedding", models.Index(fields=["library", "space"], name="embeddings_of_a_library")),
        *(
            migrations.RunSQL(CASCADE.format(table=table, column=column, parent=parent))
            for table, column, parent in CASCADES
        ),
        migrations.RunSQL(STORAGE),
        migrations.RunSQL(PACKED),
        migrations.RunSQL(FORGET),
    ]
