// The parts of `commit_batch_1` that write conversations, their addresses, and deliveries.

const WRITE_CONVERSATIONS = `
create function write_conversations_1(
  c_tenant text[], c_id text[], c_expected int[], c_status text[], c_position int[], c_public int[], c_active text[],
  c_warned int[], c_ended text[], c_picture text[]
) returns void language plpgsql as $$
declare
  v_changed bigint;
begin
  update conversation set status = fresh.status, position = fresh.position, public_position = fresh.public_position,
    active_at = fresh.active_at, idle_warned = fresh.idle_warned, ended_at = fresh.ended_at, picture = fresh.picture
  from unnest(c_tenant, c_id, c_expected, c_status, c_position, c_public, c_active, c_warned, c_ended, c_picture)
    as fresh (tenant, id, expected, status, position, public_position, active_at, idle_warned, ended_at, picture)
  where conversation.tenant = fresh.tenant and conversation.id = fresh.id
    and fresh.expected is not null and fresh.picture is not null;

  insert into conversation
    (tenant, id, status, position, public_position, active_at, idle_warned, ended_at, picture)
    select tenant, id, status, position, public_position, active_at, idle_warned, ended_at, picture
    from unnest(c_tenant, c_id, c_expected, c_status, c_position, c_public, c_active, c_warned, c_ended, c_picture)
      as fresh (tenant, id, expected, status, position, public_position, active_at, idle_warned, ended_at, picture)
    where expected is null order by tenant collate "C", id collate "C"
    on conflict do nothing;
  get diagnostics v_changed = row_count;
  if v_changed <> cardinality(c_id) - (select count(head.expected) from unnest(c_expected) as head (expected)) then
    raise exception 'The conversation is there already' using errcode = 'FL001';
  end if;
end $$`

/** Freed before they are taken: the next conversation of an address may open in the batch that ends the last. */
const WRITE_ADDRESSES = `
create function write_addresses_1(p_writes jsonb) returns void language plpgsql as $$
declare
  v_changed bigint;
begin
  perform from live_address
    join (
      select * from jsonb_to_recordset(p_writes -> 'freed')
        as freed (tenant text, channel text, account text, ref_id text)
      union select * from jsonb_to_recordset(p_writes -> 'taken')
        as taken (tenant text, channel text, account text, ref_id text)
    ) as named using (tenant, channel, account, ref_id)
    order by live_address.tenant, live_address.channel, live_address.account, live_address.ref_id
    for no key update of live_address;
  delete from live_address
    using jsonb_to_recordset(p_writes -> 'freed')
      as freed (tenant text, channel text, account text, ref_id text, conversation_id text)
    where live_address.tenant = freed.tenant and live_address.channel = freed.channel
      and live_address.account = freed.account and live_address.ref_id = freed.ref_id
      and live_address.conversation_id = freed.conversation_id;
  if p_writes ? 'taken' then
    insert into live_address (tenant, channel, account, ref_id, conversation_id)
      select * from jsonb_to_recordset(p_writes -> 'taken')
        as taken (tenant text, channel text, account text, ref_id text, conversation_id text)
      order by tenant collate "C", channel collate "C", account collate "C", ref_id collate "C"
      on conflict do nothing;
    get diagnostics v_changed = row_count;
    if v_changed <> jsonb_array_length(p_writes -> 'taken') then
      raise exception 'The address has a live conversation' using errcode = 'FL001';
    end if;
  end if;
end $$`

/** The recipients whose order this batch touches. */
const LANES_OF = `
create function lanes_of_1(p_writes jsonb)
returns table (tenant text, channel text, account text, ref_id text) language sql stable as $$
  select fresh.tenant, fresh.channel, fresh.account, fresh.ref_id
  from jsonb_to_recordset(p_writes -> 'deliver') as fresh (tenant text, channel text, account text, ref_id text)
  union
  select delivery.tenant, delivery.channel, delivery.account, delivery.ref_id
  from jsonb_to_recordset(p_writes -> 'settle') as settled (tenant text, id text)
  join delivery on delivery.tenant = settled.tenant and delivery.id = settled.id
$$`

/** Locks those lanes, in order: whoever else writes to them waits, and sees what this batch has written. */
const LOCK_LANES = `
create function lock_lanes_1(p_writes jsonb) returns void language plpgsql as $$
begin
  insert into lane (tenant, channel, account, ref_id)
    select tenant, channel, account, ref_id from lanes_of_1(p_writes) as named
    order by tenant collate "C", channel collate "C", account collate "C", ref_id collate "C"
    on conflict do nothing;
  perform from lane join lanes_of_1(p_writes) as named using (tenant, channel, account, ref_id)
    order by lane.tenant, lane.channel, lane.account, lane.ref_id
    for no key update of lane;
end $$`

/**
 * One value is asked for where `exists` would do: that the planner may turn into a scan of the whole table, to be hashed.
 * Settled first: the order within a batch makes no difference to who goes next. The lease is compared on the row as it
 * is when its lock is got; a claim skips rows that are locked.
 */
export const WRITE_DELIVERIES = `
create function write_deliveries_1(p_now text, p_created text, p_writes jsonb) returns void language plpgsql as $$
declare
  v_changed bigint;
begin
  perform lock_lanes_1(p_writes);
  if p_writes ? 'settle' then
    with held as (
      select delivery.seq, settled.state, settled.due_at, settled.reason from delivery
      join jsonb_to_recordset(p_writes -> 'settle')
        as settled (tenant text, id text, lease text, state text, due_at text, reason text)
        on delivery.tenant = settled.tenant and delivery.id = settled.id
      where delivery.state = 'leased' and delivery.lease = settled.lease
      order by delivery.seq for no key update of delivery
    )
    update delivery set state = held.state, lease = '', due_at = coalesce(held.due_at, p_now), reason = held.reason
      from held where delivery.seq = held.seq;
    get diagnostics v_changed = row_count;
    if v_changed <> jsonb_array_length(p_writes -> 'settle') then
      raise exception 'The lease is stale' using errcode = 'FL001';
    end if;
    update delivery set state = 'due', due_at = p_now where seq in (
      select next.seq from (
        select distinct past.tenant, past.channel, past.account, past.ref_id
        from jsonb_to_recordset(p_writes -> 'settle') as settled (tenant text, id text, state text)
        join delivery as past on past.tenant = settled.tenant and past.id = settled.id
        where settled.state in ('done', 'dead')
      ) as free cross join lateral (
        select waiting.seq from delivery as waiting
        where waiting.tenant = free.tenant and waiting.channel = free.channel and waiting.account = free.account
          and waiting.ref_id = free.ref_id and waiting.state in ('waiting', 'due', 'leased')
          and waiting.state = 'waiting'
        order by waiting.seq limit 1
      ) as next
    );
  end if;
  if p_writes ? 'deliver' then
    insert into delivery (tenant, id, channel, account, ref_id, conversation_id, message_id, recipient,
        notification_id, body, state, attempts, lease, due_at, created_at, expires_at, reason, slice)
      select tenant, id, channel, account, ref_id, conversation_id, message_id, recipient, notification_id, body,
        case when place > 1 or (
          select true from delivery as other
          where other.tenant = fresh.tenant and other.channel = fresh.channel and other.account = fresh.account
            and other.ref_id = fresh.ref_id and other.state in ('waiting', 'due', 'leased')
          limit 1
        ) then 'waiting' else 'due' end,
        0, '', p_now, p_created, expires_at, '', slice
      from (
        select *, row_number() over (partition by tenant, channel, account, ref_id order by n) as place
        from jsonb_to_recordset(p_writes -> 'deliver')
          as wanted (n int, tenant text, id text, channel text, account text, ref_id text, conversation_id text,
            message_id text, recipient text, notification_id text, body text, expires_at text, slice int)
      ) as fresh order by n;
  end if;
end $$`

export const COMMIT_DELIVERIES: readonly string[] = [
  WRITE_CONVERSATIONS,
  WRITE_ADDRESSES,
  LANES_OF,
  LOCK_LANES,
  WRITE_DELIVERIES,
]
