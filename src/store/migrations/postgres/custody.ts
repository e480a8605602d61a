// What Postgres needs to keep the custody of conversations in step with them.

/** Parameters of `commit_batch_1`, in its order. */
const PARAMETERS = `
  p_now text, p_created text,
  c_tenant text[], c_id text[], c_expected int[], c_status text[], c_position int[], c_public int[], c_active text[],
  c_warned int[], c_ended text[], c_picture text[],
  e_tenant text[], e_id text[], e_position int[], e_public int[], e_body text[],
  o_tenant text[], o_scope text[], o_key text[], o_conversation text[], o_position int[], o_note text[],
  o_expires text[],
  p_writes jsonb`
const NAMES = PARAMETERS.split(',').map((parameter) => parameter.trim().split(/\s+/)[0])

/** Like `commit_batch_1`, for a batch that opens conversations: each is entered with its address. It never changes either. */
export const COMMIT_OPENING = `
create function commit_batch_2(${PARAMETERS}
) returns void language plpgsql as $$
begin
  perform commit_batch_1(${NAMES.join(', ')});
  insert into custody (tenant, conversation_id, channel, account, ref_id, ended_at)
    select tenant, conversation_id, channel, account, ref_id, ended_at
    from jsonb_to_recordset(p_writes -> 'named')
      as named (tenant text, conversation_id text, channel text, account text, ref_id text, ended_at text)
    order by tenant collate "C", conversation_id collate "C"
    on conflict do nothing;
end $$`

export const CUSTODY_ENDED = `
create function custody_ended_1() returns trigger language plpgsql as $$
begin
  update custody set ended_at = new.ended_at where tenant = new.tenant and conversation_id = new.id;
  return null;
end $$`
export const CUSTODY_TRIGGER = `
create trigger custody_ended after update of status on conversation
for each row when (old.status = 'open' and new.status = 'ended') execute function custody_ended_1()`

/** By customer: the key has our account before them. */
export const LANE_BY_CUSTOMER = 'create index lane_by_customer on lane (tenant, channel, ref_id)'

/** A picture may hold escapes that Postgres does not read: such a conversation is entered when somebody names it. */
export const BACKFILL_ADDRESS: readonly string[] = [
  `create function custody_address_1(picture text) returns json language plpgsql immutable as $$
    begin
      return picture::json #> '{opening,address}';
    exception when others then
      return null;
    end $$`,
  `insert into custody (tenant, conversation_id, channel, account, ref_id, ended_at)
    select tenant, id, address ->> 'channel', address ->> 'account', address ->> 'refId', ended_at
    from (select tenant, id, ended_at, custody_address_1(picture) as address from conversation) as found
    where address is not null`,
  'drop function custody_address_1(text)',
]
