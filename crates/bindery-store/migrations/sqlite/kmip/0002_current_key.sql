-- Nothing is written under a data key that is no longer the current one, whichever process tries and however long
-- ago it looked: so once a new key is current, one pass over the objects leaves none under the earlier ones.
CREATE TRIGGER object_inserted_under_current_key BEFORE INSERT ON object
WHEN NEW.material IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'not the current data key')
    WHERE NOT EXISTS (SELECT 1 FROM data_key WHERE id = substr(NEW.material, 2, 8) AND current = 1);
END;

CREATE TRIGGER object_updated_under_current_key BEFORE UPDATE OF material ON object
WHEN NEW.material IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'not the current data key')
    WHERE NOT EXISTS (SELECT 1 FROM data_key WHERE id = substr(NEW.material, 2, 8) AND current = 1);
END;
