// The part of `commit_batch_1` that remembers what providers call a message, and how far it came.

/**
 * The row of a provider's name is where both sides meet: a receipt that came too early puts it there without a
 * delivery, and who learns the names of a delivery takes them over. So either the delivery is found by the receipt, or
 * the parked receipt by the delivery, whichever node each of them is on.
 */
const WRITE_PARTS = `
create function write_parts_1(p_now text, p_writes jsonb) returns void language plpgsql as $$
declare
  v_changed bigint;
begin
  perform from provider_part
    join (
      select * from jsonb_to_recordset(p_writes -> 'parts')
        as a (tenant text, channel text, account text, provider_id text)
      union select * from jsonb_to_recordset(p_writes -> 'partDelivered')
        as b (tenant text, channel text, account text, provider_id text)
      union select * from jsonb_to_recordset(p_writes -> 'park')
        as c (tenant text, channel text, account text, provider_id text)
    ) as named using (tenant, channel, account, provider_id)
    order by provider_part.tenant, provider_part.channel, provider_part.account, provider_part.provider_id
    for no key update of provider_part;

  -- A provider may use its ids again: the newest delivery owns them.
  if p_writes ? 'parts' then
    insert into provider_part (tenant, channel, account, provider_id, delivery_id, delivered)
      select distinct on (a, b, c, d) a, b, c, d, delivery_id, 0 from (
        select tenant collate "C" as a, channel collate "C" as b, account collate "C" as c,
          provider_id collate "C" as d, delivery_id, n
        from jsonb_to_recordset(p_writes -> 'parts')
          as fresh (n int, tenant text, channel text, account text, provider_id text, delivery_id text)
      ) as sorted order by a, b, c, d, n desc
      on conflict (tenant, channel, account, provider_id) do update
        set delivery_id = excluded.delivery_id, delivered = 0
        where provider_part.delivery_id is distinct from excluded.delivery_id;
    if exists (
      select from parked_receipt
      join jsonb_to_recordset(p_writes -> 'parts')
        as named (tenant text, channel text, account text, provider_id text)
        using (tenant, channel, account, provider_id)
      where parked_receipt.expires_at > p_now and not exists (
        select from jsonb_to_recordset(p_writes -> 'unpark')
          as known (tenant text, channel text, account text, provider_id text)
        where known.tenant = named.tenant and known.channel = named.channel and known.account = named.account
          and known.provider_id = named.provider_id)
    ) then
      raise exception 'A receipt came before the names it goes by' using errcode = 'FL001';
    end if;
  end if;
  update provider_part set delivered = 1
    from jsonb_to_recordset(p_writes -> 'partDelivered')
      as come (tenant text, channel text, account text, provider_id text)
    where provider_part.tenant = come.tenant and provider_part.channel = come.channel
      and provider_part.account = come.account and provider_part.provider_id = come.provider_id;

  if p_writes ? 'park' then
    insert into provider_part (tenant, channel, account, provider_id, delivery_id, delivered)
      select distinct tenant collate "C" as a, channel collate "C" as b, account collate "C" as c,
        provider_id collate "C" as d, null, 0
      from jsonb_to_recordset(p_writes -> 'park')
        as early (tenant text, channel text, account text, provider_id text) order by a, b, c, d
      on conflict (tenant, channel, account, provider_id) do update
        set delivered = 0 where provider_part.delivery_id is null;
    get diagnostics v_changed = row_count;
    if v_changed <> (
      select count(*) from (
        select distinct tenant, channel, account, provider_id from jsonb_to_recordset(p_writes -> 'park')
          as early (tenant text, channel text, account text, provider_id text)) as names
    ) then
      raise exception 'The delivery is known by now' using errcode = 'FL001';
    end if;
  end if;
end $$`

const WRITE_RECEIPTS = `
create function write_receipts_1(p_now text, p_writes jsonb) returns void language plpgsql as $$
begin
  perform write_parts_1(p_now, p_writes);
  if p_writes ? 'park' then
    insert into parked_receipt (tenant, channel, account, provider_id, state, reason, expires_at)
      select tenant, channel, account, provider_id, state, reason, expires_at
      from (
        select distinct on (tenant, channel, account, provider_id, state) *
        from jsonb_to_recordset(p_writes -> 'park')
          as early (n int, tenant text, channel text, account text, provider_id text, state text, reason text,
            expires_at text)
        order by tenant, channel, account, provider_id, state, n desc
      ) as last order by n
      on conflict (tenant, channel, account, provider_id, state) do update
        set reason = excluded.reason, expires_at = excluded.expires_at;
  end if;
  delete from parked_receipt
    using jsonb_to_recordset(p_writes -> 'unpark')
      as known (tenant text, channel text, account text, provider_id text)
    where parked_receipt.tenant = known.tenant and parked_receipt.channel = known.channel
      and parked_receipt.account = known.account and parked_receipt.provider_id = known.provider_id;
  if p_writes ? 'receipt' then
    insert into receipt (tenant, conversation_id, message_id, recipient, state)
      select distinct on (a, b, c, d) a, b, c, d, state from (
        select tenant collate "C" as a, conversation_id collate "C" as b, message_id collate "C" as c,
          recipient collate "C" as d, state, n
        from jsonb_to_recordset(p_writes -> 'receipt')
          as risen (n int, tenant text, conversation_id text, message_id text, recipient text, state text)
      ) as sorted order by a, b, c, d, n desc
      on conflict (tenant, conversation_id, message_id, recipient) do update set state = excluded.state;
  end if;
end $$`

export const COMMIT_RECEIPTS: readonly string[] = [WRITE_PARTS, WRITE_RECEIPTS]
