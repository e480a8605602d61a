// The part of `commit_batch_1` that writes notifications, the suppression list and quotas.

const WRITE_SUPPRESSION = `
create function write_suppression_1(p_writes jsonb) returns void language plpgsql as $$
begin
  -- Who says two things in one batch means the last.
  perform from suppression
    join jsonb_to_recordset(p_writes -> 'suppression')
      as named (tenant text, channel text, ref_id text, account text)
      using (tenant, channel, ref_id, account)
    order by suppression.tenant, suppression.channel, suppression.ref_id, suppression.account
    for no key update of suppression;
  with last as (
    select distinct on (tenant, channel, ref_id, account) *
    from jsonb_to_recordset(p_writes -> 'suppression')
      as said (n int, tenant text, channel text, ref_id text, account text, listed boolean)
    order by tenant, channel, ref_id, account, n desc
  ), gone as (
    delete from suppression using last
    where suppression.tenant = last.tenant and suppression.channel = last.channel
      and suppression.ref_id = last.ref_id and suppression.account = last.account and not last.listed
  )
  insert into suppression (tenant, channel, ref_id, account)
    select tenant, channel, ref_id, account from last where listed
    order by tenant collate "C", channel collate "C", ref_id collate "C", account collate "C"
    on conflict do nothing;
end $$`

const WRITE_NOTIFIED = `
create function write_notified_1(p_now text, p_writes jsonb) returns void language plpgsql as $$
begin
  if p_writes ? 'notification' then
    insert into notification
      (tenant, id, key_id, channel, account, ref_id, state, reason, created_at, expires_at, changed_at)
      select a, b, key_id, channel, account, ref_id, state, reason, created_at, expires_at, p_now from (
        select distinct on (tenant collate "C", id collate "C") *, tenant collate "C" as a, id collate "C" as b
        from jsonb_to_recordset(p_writes -> 'notification')
          as fresh (n int, tenant text, id text, key_id text, channel text, account text, ref_id text, state text,
            reason text, created_at text, expires_at text)
        order by tenant collate "C", id collate "C", n desc
      ) as last order by a, b
      on conflict (tenant, id) do update
        set state = excluded.state, reason = excluded.reason, expires_at = excluded.expires_at,
          changed_at = excluded.changed_at;
  end if;
  if p_writes ? 'suppression' then
    perform write_suppression_1(p_writes);
  end if;
  if p_writes ? 'quota' then
    insert into quota as counted (tenant, key_id, day, used)
      select a, b, c, count(*) from (
        select tenant collate "C" as a, key_id collate "C" as b, day collate "C" as c
        from jsonb_to_recordset(p_writes -> 'quota') as one (tenant text, key_id text, day text)
      ) as each group by a, b, c order by a, b, c
      on conflict (tenant, key_id, day) do update set used = counted.used + excluded.used;
  end if;
end $$`

export const COMMIT_NOTIFIED: readonly string[] = [WRITE_SUPPRESSION, WRITE_NOTIFIED]
