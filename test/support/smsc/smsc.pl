#!/usr/bin/perl
# An SMSC that is not ours: Net::SMPP behind JSON lines. What it saw goes to stdout, what it shall do comes from stdin; see smsc.ts.
use strict;
use warnings;
use IO::Select;
use JSON::PP;
use Net::SMPP;
use Encode ();
use Time::HiRes ();

$SIG{PIPE} = 'IGNORE';
$| = 1;
my $json = JSON::PP->new->utf8->canonical;
sub say_line { print $json->encode({@_}), "\n" }

my $port = shift // 0;
my $listen = Net::SMPP->new_listen('127.0.0.1', port => $port, smpp_version => 0x34, interface_version => 0x34, system_id => 'perl')
  or die "cannot listen: $!";

my %set = (                # changed by {"cmd":"configure"}
  ids         => 'hex',    # form of ids in submit_sm_resp: hex | decimal | name
  receiptIds  => 'same',   # form in receipts: same | decimal | hex
  receipts    => 'after',  # none | after | before the answer to the submit
  receiptTlv  => JSON::PP::false,
  state       => 'DELIVRD',
  err         => '000',
  statuses    => [],       # for the next submits, 0 is OK
  refuseBinds => 0,
  mute        => 0,        # so many submits are never answered
  loseAnswers => 0,        # so many answers to deliver_sm are overheard and the link cut
  window      => 10,
  retryAfter  => 0.3,      # seconds before a refused deliver_sm is brought again
  answerWithin => 30,      # seconds before an unanswered one is brought again
  password    => undef,
);
my %number_of = (ENROUTE => 1, DELIVRD => 2, EXPIRED => 3, DELETED => 4, UNDELIV => 5, ACCEPTD => 6, UNKNOWN => 7, REJECTD => 8);

my $next_id = 2600 + int(rand 1000);
my ($next_session, $next_delivery, $next_ref) = (1, 1, int(rand 250));
my %session;               # fileno => {sock, number, bound, receives, seq, waiting => {seq => delivery}}
my @queue;                 # deliver_sm that no ESME has accepted yet, in order
my $select = IO::Select->new($listen, \*STDIN);
say_line(event => 'listening', port => $listen->sockport + 0);

sub gone {
  my ($s, $why) = @_;
  return unless delete $session{$s->{fileno}};
  $select->remove($s->{sock});
  unshift @queue, sort { $a->{number} <=> $b->{number} } map { $_->{delivery} } values %{ $s->{waiting} };
  close $s->{sock};
  say_line(event => 'gone', session => $s->{number}, why => $why);
}

sub id_in { my ($form, $n) = @_; return $form eq 'hex' ? sprintf('%08X', $n) : $form eq 'decimal' ? "$n" : "msg-$n" }

sub receipt_for {
  my ($n, $pdu, $state, $err, $session) = @_;
  my $first = id_in($set{ids}, $n);
  my $id = $set{receiptIds} eq 'same' ? $first : $set{receiptIds} eq 'decimal' ? sprintf('%010d', $n) : sprintf('%x', $n);
  my $text = "id:$id sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:$state err:$err text:...";
  my @tlv = $set{receiptTlv} ? (receipted_message_id => "$first\0", message_state => chr($number_of{$state} // 7)) : ();
  return {
    number => $next_delivery++, prefer => $session, receipt => $id, due => 0,
    pdu => [
      source_addr_ton => $pdu->{dest_addr_ton}, source_addr_npi => $pdu->{dest_addr_npi}, source_addr => $pdu->{destination_addr},
      dest_addr_ton => $pdu->{source_addr_ton}, dest_addr_npi => $pdu->{source_addr_npi}, destination_addr => $pdu->{source_addr},
      esm_class => 0x04, data_coding => 0, short_message => $text, @tlv,
    ],
  };
}

my %sent;                  # id number => submit, for receipts on command; the last thousand
sub submitted {
  my ($s, $pdu) = @_;
  my $status = @{ $set{statuses} } ? shift @{ $set{statuses} } : 0;
  my $n = $next_id++;
  my $id = id_in($set{ids}, $n);
  my $body = $pdu->{short_message};
  my @udh;
  if ($pdu->{esm_class} & 0x40) {
    my $length = ord $body;
    @udh = unpack 'x3 C3', substr($body, 0, $length + 1) if $length == 5;
    $body = substr $body, $length + 1;
  }
  my $text = $pdu->{data_coding} == 8 ? Encode::decode('UTF-16BE', $body) : Encode::decode('gsm0338', $body);
  my $mute = $set{mute} > 0 && $set{mute}--;
  say_line(
    event => 'submitted', session => $s->{number}, status => $status, id => $id, mute => $mute ? JSON::PP::true : JSON::PP::false,
    from => $pdu->{source_addr}, fromTon => $pdu->{source_addr_ton} + 0, fromNpi => $pdu->{source_addr_npi} + 0,
    to => $pdu->{destination_addr}, toTon => $pdu->{dest_addr_ton} + 0, toNpi => $pdu->{dest_addr_npi} + 0,
    dataCoding => $pdu->{data_coding} + 0, registeredDelivery => $pdu->{registered_delivery} + 0,
    text => $text, hex => unpack('H*', $pdu->{short_message}),
    (@udh ? (reference => $udh[0], total => $udh[1], part => $udh[2]) : (reference => 0, total => 1, part => 1)),
  );
  my $wants = $set{receipts} ne 'none' && $status == 0 && ($pdu->{registered_delivery} & 1);
  $sent{$id} = { n => $n, pdu => $pdu } if $status == 0;
  delete @sent{ (sort keys %sent)[0 .. 99] } if keys %sent > 1000;
  my $receipt = $wants && receipt_for($n, $pdu, $set{state}, $set{err}, $s->{number});
  bring($s, $receipt) if $receipt && $set{receipts} eq 'before';
  $s->{sock}->submit_sm_resp(seq => $pdu->{seq}, status => $status, message_id => $status ? '' : $id) unless $mute;
  push @queue, $receipt if $receipt && $set{receipts} eq 'after';
}

sub bring {
  my ($s, $delivery) = @_;
  my $seq = ++$s->{seq};
  $s->{waiting}{$seq} = { delivery => $delivery, until => Time::HiRes::time() + $set{answerWithin} };
  $s->{sock}->deliver_sm(async => 1, seq => $seq, @{ $delivery->{pdu} });
}

sub answered {
  my ($s, $pdu) = @_;
  if ($set{loseAnswers} > 0) { $set{loseAnswers}--; return gone($s, 'cut') }
  my $waiting = delete $s->{waiting}{ $pdu->{seq} } or return;
  my $delivery = $waiting->{delivery};
  say_line(event => 'answered', delivery => $delivery->{number}, status => $pdu->{status} + 0, session => $s->{number},
    ($delivery->{receipt} ? (receipt => $delivery->{receipt}) : ()));
  return if $pdu->{status} == 0;
  $delivery->{due} = Time::HiRes::time() + $set{retryAfter};
  push @queue, $delivery;
}

# Brings what waits: a receipt to the session that submitted while it lives, everything else to all receivers in turn.
my $turn = 0;
sub pump {
  my $now = Time::HiRes::time();
  for my $s (values %session) {
    for my $seq (sort { $a <=> $b } keys %{ $s->{waiting} }) {
      push @queue, delete($s->{waiting}{$seq})->{delivery} if $s->{waiting}{$seq}{until} < $now;
    }
  }
  my @rest;
  while (my $delivery = shift @queue) {
    my @open = grep { $_->{receives} && keys %{ $_->{waiting} } < $set{window} } sort { $a->{number} <=> $b->{number} } values %session;
    my ($s) = grep { $_->{number} == ($delivery->{prefer} // 0) } @open;
    $s //= $open[ $turn++ % @open ] if @open;
    if ($s && $delivery->{due} <= $now) { bring($s, $delivery) } else { push @rest, $delivery }
  }
  @queue = @rest;
}

my %bind = (
  0x00000001 => [ 'bind_receiver_resp', 1 ], 0x00000002 => [ 'bind_transmitter_resp', 0 ], 0x00000009 => [ 'bind_transceiver_resp', 1 ],
);

sub hear {
  my ($s) = @_;
  $! = 0;                  # read_hard would read again after a stale "Interrupted"
  my $pdu = do { local $SIG{__WARN__} = sub { }; eval { $s->{sock}->read_pdu } };
  return gone($s, 'closed') unless $pdu;
  my $cmd = $pdu->{cmd};
  if (my $bind = $bind{$cmd}) {
    my ($answer, $receives) = @$bind;
    my $wrong = defined $set{password} && $pdu->{password} ne $set{password};
    my $status = $set{refuseBinds} > 0 ? 0x0D : $wrong ? 0x0E : 0;
    $set{refuseBinds}-- if $set{refuseBinds} > 0;
    $s->{sock}->$answer(seq => $pdu->{seq}, status => $status, system_id => 'perl');
    say_line(event => $status ? 'refused' : 'bound', session => $s->{number}, systemId => $pdu->{system_id}, systemType => $pdu->{system_type});
    @$s{qw(bound receives)} = (1, $receives) unless $status;
  }
  elsif ($cmd == 0x00000004 && $s->{bound}) { submitted($s, $pdu) }
  elsif ($cmd == 0x80000005) { answered($s, $pdu) }
  elsif ($cmd == 0x00000015) { $s->{sock}->enquire_link_resp(seq => $pdu->{seq}); say_line(event => 'enquired', session => $s->{number}) }
  elsif ($cmd == 0x80000015) { say_line(event => 'alive', session => $s->{number}) }
  elsif ($cmd == 0x00000006) { $s->{sock}->unbind_resp(seq => $pdu->{seq}); say_line(event => 'unbound', session => $s->{number}); gone($s, 'unbound') }
  elsif (!($cmd & 0x80000000)) { $s->{sock}->generic_nack(seq => $pdu->{seq}, status => 3) }
}

sub from_customer {
  my ($order) = @_;
  my ($from, $ton) = $order->{from} =~ /^\+(\d+)$/ ? ($1, 1) : ($order->{from}, 0);
  my ($to, $to_ton) = $order->{to} =~ /^\+(\d+)$/ ? ($1, 1) : ($order->{to}, 0);
  my @common = (source_addr_ton => $ton, source_addr_npi => $ton, source_addr => $from,
    dest_addr_ton => $to_ton, dest_addr_npi => $to_ton, destination_addr => $to);
  my $text = $order->{text} // '';
  my $gsm = eval { Encode::encode('gsm0338', $text, Encode::FB_CROAK | Encode::LEAVE_SRC) };
  my ($coding, $bytes) = defined $gsm ? (0, $gsm) : (8, Encode::encode('UTF-16BE', $text));
  my ($alone, $among) = $coding ? (140, 134) : (160, 152);
  my @parts = ($bytes);
  if (length $bytes > $alone) { @parts = unpack "(a$among)*", $bytes }
  my $ref = $next_ref++ % 256;
  my @numbers;
  my @all = map {
    my $udh = @parts > 1 ? pack('C6', 5, 0, 3, $ref, scalar(@parts), $_ + 1) : '';
    { number => $next_delivery++, due => 0,
      pdu => [ @common, data_coding => $coding, esm_class => $udh ? 0x40 : 0, short_message => $udh . $parts[$_] ] }
  } 0 .. $#parts;
  @all = reverse @all if $order->{reverse};
  push @queue, @all;
  say_line(event => 'queued', key => $order->{key}, deliveries => [ map { $_->{number} } @all ]);
}

sub obey {
  my ($order) = @_;
  my $cmd = $order->{cmd} // '';
  if ($cmd eq 'deliver') { from_customer($order) }
  elsif ($cmd eq 'configure') { @set{ keys %{ $order->{set} } } = values %{ $order->{set} }; say_line(event => 'configured', key => $order->{key}) }
  elsif ($cmd eq 'receipt') { my $one = $sent{ $order->{id} }; push @queue, receipt_for($one->{n}, $one->{pdu}, $order->{state}, $order->{err} // '000') if $one }
  elsif ($cmd eq 'enquire') { $_->{sock}->enquire_link(async => 1, seq => ++$_->{seq}) for grep { $_->{bound} } values %session }
  elsif ($cmd eq 'unbind') { $_->{sock}->unbind(async => 1, seq => ++$_->{seq}) for grep { $_->{bound} } values %session }
  elsif ($cmd eq 'drop') { gone($_, 'dropped') for values %session }
  elsif ($cmd eq 'stop') { exit 0 }
}

my $typed = '';
while (1) {
  my $busy = @queue || grep { %{ $_->{waiting} } } values %session;
  for my $ready ($select->can_read($busy ? 0.1 : undef)) {
    if ($ready == $listen) {
      my $sock = $listen->accept or next;
      $sock->set_version(0x34);
      $session{ fileno $sock } = { sock => $sock, fileno => fileno $sock, number => $next_session++, seq => 0, waiting => {}, bound => 0, receives => 0 };
      $select->add($sock);
    }
    elsif (fileno $ready == 0) {
      sysread(STDIN, $typed, 65536, length $typed) or exit 0;   # whoever started us is gone
      while ($typed =~ s/^([^\n]*)\n//) { my $order = eval { $json->decode($1) }; obey($order) if $order }
    }
    elsif (defined fileno $ready and my $s = $session{ fileno $ready }) { hear($s) }
  }
  pump();
}
