// The function that writes a batch on Postgres: a constant number of statements, however many messages it holds.

/**
 * It never changes: nodes of two versions may call it side by side. What must write differently is `commit_batch_2`.
 *
 * Everything or nothing: a violated assumption raises FL001, and whoever called decides again. Each table is touched in
 * one order (conversation, event, live_address, once, lane, delivery, provider_part, parked_receipt, receipt,
 * notification, suppression, quota), and its rows in the order of their key, so that no two batches wait for each other
 * in a circle. Whoever holds rows before the batch (see `PgHold`) takes deliveries and quotas first, then conversations.
 *
 * `c_`: each conversation of the batch once; `expected` is null where it is opened here, `picture` where no snapshot is
 * due. `e_`: events. `o_`: idempotency keys. `p_now` is null outside tests: the database's clock counts.
 */
export const COMMIT_BATCH = `
create function commit_batch_1(
  p_now text, p_created text,
  c_tenant text[], c_id text[], c_expected int[], c_status text[], c_position int[], c_public int[], c_active text[],
  c_warned int[], c_ended text[], c_picture text[],
  e_tenant text[], e_id text[], e_position int[], e_public int[], e_body text[],
  o_tenant text[], o_scope text[], o_key text[], o_conversation text[], o_position int[], o_note text[],
  o_expires text[],
  p_writes jsonb
) returns void language plpgsql as $$
declare
  v_now text;
  v_changed bigint;
begin
  -- The lock is what makes a node that read under it win. The event before must be there: a picture that is ahead of
  -- the log (a database that lost its last commits in a failover) must not leave a gap.
  if cardinality(c_id) > 0 then
    select count(*) into v_changed from (
      select from conversation
      join unnest(c_tenant, c_id, c_expected) as head (tenant, id, expected)
        on conversation.tenant = head.tenant and conversation.id = head.id
      where head.expected = 0 or head.expected = (
        select event.position from event
        where event.tenant = head.tenant and event.conversation_id = head.id and event.position = head.expected)
      order by conversation.tenant, conversation.id
      for no key update of conversation
    ) as locked;
    if v_changed <> (select count(head.expected) from unnest(c_expected) as head (expected)) then
      raise exception 'A conversation is not as it was read' using errcode = 'FL001';
    end if;
  end if;
  v_now := coalesce(p_now, iso_time_1(clock_timestamp()));

  -- The key is what guards the log: whoever decided on an older position finds this one taken. A violation of it is
  -- known by its name, and costs nothing while there is none; looking first would cost as much as writing.
  if cardinality(e_id) > 0 then
    insert into event (tenant, conversation_id, position, public_position, body)
      select * from unnest(e_tenant, e_id, e_position, e_public, e_body) as fresh (a, b, c, d, e)
      order by a collate "C", b collate "C", c;
  end if;

  if cardinality(array_remove(c_picture, null)) > 0 then
    perform write_conversations_1(c_tenant, c_id, c_expected, c_status, c_position, c_public, c_active, c_warned,
      c_ended, c_picture);
  end if;
  if p_writes ?| array['freed', 'taken'] then
    perform write_addresses_1(p_writes);
  end if;

  if cardinality(o_key) > 0 then
    begin
      insert into once (tenant, scope, key, conversation_id, position, note, expires_at)
        select * from unnest(o_tenant, o_scope, o_key, o_conversation, o_position, o_note, o_expires)
          as fresh (a, b, c, d, e, f, g) order by a collate "C", b collate "C", c collate "C";
    exception when unique_violation then
      -- A key that has outlived its time may be taken again.
      insert into once as kept (tenant, scope, key, conversation_id, position, note, expires_at)
        select * from unnest(o_tenant, o_scope, o_key, o_conversation, o_position, o_note, o_expires)
          as fresh (a, b, c, d, e, f, g) order by a collate "C", b collate "C", c collate "C"
        on conflict (tenant, scope, key) do update set conversation_id = excluded.conversation_id,
          position = excluded.position, note = excluded.note, expires_at = excluded.expires_at
        where kept.expires_at <= v_now;
      get diagnostics v_changed = row_count;
      if v_changed <> cardinality(o_key) then
        raise exception 'The idempotency key is there already' using errcode = 'FL001';
      end if;
    end;
  end if;

  if p_writes ?| array['settle', 'deliver'] then
    perform write_deliveries_1(v_now, p_created, p_writes);
  end if;
  if p_writes ?| array['parts', 'partDelivered', 'park', 'unpark', 'receipt'] then
    perform write_receipts_1(v_now, p_writes);
  end if;
  if p_writes ?| array['notification', 'suppression', 'quota'] then
    perform write_notified_1(v_now, p_writes);
  end if;
end $$`
