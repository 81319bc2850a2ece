/* The hedging protocol of the desk: account A (maker) quotes, account B (hedger) offsets, the nonce fences.
 *
 * Every process is one loop of atomic steps without a program counter, so a crash can fall between any two steps: it
 * keeps what is durable (names that begin with d) and loses the rest. Nothing is timed: whatever may happen late may
 * happen at any later step, or never while something else is possible.
 *
 *  - Requests: what has been sent lies on the wire and arrives at any time while its nonce is the next, or never. A
 *    send may also be lost, and is then repeated. So loss, delay and repetition are one thing.
 *  - A key: one transaction for each nonce. It is consumed first and executes later.
 *  - Reads: of orders and positions they may lag; what is read is the newest or the one before.
 *  - States between A and B: each hears some earlier state of the other, whole; older epochs are ignored.
 *  - B twice: a second instance without the first one's journal may start once, at any time.
 *
 * Sizes: ROUNDS, LOTS of a quote, MIN (less is a residual), CRASHES of any process, ATTEMPTS of quotes in all, TRIES of
 * hedges that fill nothing, EXPIRIES of signatures, RESUMES by a person, INSTANCES of B. MUTANT_… plants a bug. See docs/model.md.
 */
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef LOTS
#define LOTS 2
#endif
#ifndef MIN
#define MIN 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 3
#endif
#ifndef TRIES
#define TRIES 1
#endif
#ifndef EXPIRIES
#define EXPIRIES 1
#endif
#ifndef RESUMES
#define RESUMES 0
#endif
#ifndef INSTANCES
#define INSTANCES 1
#endif

#define ABS(x) ((x) < 0 -> -(x) : (x))
#define RESIDUAL(x) (ABS(x) < MIN)
#define NET (posA + posB)
#define SAME_SIGN(x, y) ((x) * (y) > 0)

/* --- the exchange's truth ------------------------------------------------------------------------------------- */
short posA, posB;
short posBbefore;              /* what a read that lags still shows */
bool lagging;
byte nextA = 1, nextB = 1;     /* the next nonce of each key */
bool resting; short restSide; byte restLeft;
bool landing;                  /* A's quote has consumed its nonce and does not rest yet */
byte pendB, pendBy; short pendLots;    /* B's key: kind of what is consumed and not executed, whose, how much */
#define ORDER 1
#define BURN 2

/* --- the wires: what has been sent and may arrive; 0 is nothing ----------------------------------------------- */
byte wireQuote; short wireSide; byte wireLots;         /* wireQuote is its nonce */
byte wireCancel, wireBurnA;
byte wireOrder[INSTANCES]; short wireHedge[INSTANCES];
byte wireBurn[INSTANCES];
/* what of each sender has executed last, by nonce: its status by hash */
byte doneBurnA;
byte doneOrder[INSTANCES], doneBurn[INSTANCES]; short doneFill[INSTANCES];

/* --- A -------------------------------------------------------------------------------------------------------- */
mtype = { boot, burning, lag, ready, announced, sent, quoting, cancelling, signed, off, superseded };
mtype stA = boot;
byte dRound, dAnnounce, dCrashes;
bool dRoundOpen, dPaused;
short dTotal, dRoundBase, dSide; byte dLots;
byte nonceA;
byte heardEpoch, heardArmed, heardRound; short heardTotal; bool heardConfirm, heardFailed, heardBusy;
short seenB;                   /* A's own copy of B's fills */

/* --- B -------------------------------------------------------------------------------------------------------- */
mtype stB[INSTANCES];
byte epochB[INSTANCES], epochs;
byte nonceB[INSTANCES];
short seenA[INSTANCES], ownB[INSTANCES];
byte roundB[INSTANCES];
short hedge[INSTANCES];        /* the order that is signed or sent */
byte armedFor[INSTANCES]; short armed[INSTANCES];
byte dTries[INSTANCES]; bool dFailed[INSTANCES];
short dArmed[INSTANCES]; byte dArmedNonce[INSTANCES];          /* the journal: the newest armed bytes */

/* --- ghosts: for assertions alone ------------------------------------------------------------------------------- */
byte everArmed;
bool everPaused;
byte expired, resumed;

inline check_hedge(by, f) {    /* I2: toward zero, never away from it, never through it */
  assert(f == 0 || (SAME_SIGN(NET, -(f)) && ABS(f) <= ABS(NET)))
}

inline execute_hedge() {       /* immediate or cancel: fills all, a part, or nothing */
  short fill;
  fill = pendLots;
  if :: skip
     :: fill = 0
     :: ABS(pendLots) > 1 -> fill = (pendLots > 0 -> 1 : -1)
  fi;
  if :: resting && SAME_SIGN(pendLots, -restSide) ->       /* A's own rest is met first */
#ifdef MUTANT_NO_FLAGS
          assert(fill == 0);                               /* I4: A and B trade with each other */
#else
          if :: resting = false; restLeft = 0 :: skip fi   /* the flag expires it */
#endif
     :: else
  fi;
  check_hedge(pendBy, fill);
  posBbefore = posB; lagging = (fill != 0);
  posB = posB + fill;
  doneOrder[pendBy] = nextB - 1; doneFill[pendBy] = fill;
  pendB = 0; pendBy = 0; pendLots = 0; fill = 0
}

/* A nonce is consumed: whatever else was signed for it will never run. */
inline consume_A() {
  nextA++; wireQuote = 0; wireCancel = 0; wireBurnA = 0
}

inline consume_B(kind, by, lots) {
  pendLots = lots; pendB = kind; pendBy = by; nextB++;
  wireOrder[0] = 0; wireHedge[0] = 0; wireBurn[0] = 0;
#if INSTANCES > 1
  wireOrder[1] = 0; wireHedge[1] = 0; wireBurn[1] = 0
#endif
}

active proctype Exchange() {
end: do
  /* A's key */
  :: atomic { wireQuote == nextA -> landing = true; restSide = wireSide; restLeft = wireLots; consume_A() }
  :: atomic { landing -> landing = false;
       if :: resting = true; assert(RESIDUAL(NET))         /* I1 */
          :: restLeft = 0                                  /* post-only: it would have crossed */
       fi }
  :: atomic { resting -> posA = posA + restSide; restLeft--;
       if :: restLeft == 0 -> resting = false :: else fi }
  :: atomic { wireCancel == nextA && !landing -> consume_A(); resting = false; restLeft = 0 }
  :: atomic { wireBurnA == nextA && !landing -> doneBurnA = nextA; consume_A(); resting = false; restLeft = 0 }
  /* B's key */
  :: atomic { wireOrder[0] == nextB && !pendB -> consume_B(ORDER, 0, wireHedge[0]) }
  :: atomic { wireBurn[0] == nextB && !pendB -> consume_B(BURN, 0, 0) }
#if INSTANCES > 1
  :: atomic { wireOrder[1] == nextB && !pendB -> consume_B(ORDER, 1, wireHedge[1]) }
  :: atomic { wireBurn[1] == nextB && !pendB -> consume_B(BURN, 1, 0) }
#endif
  :: atomic { pendB == BURN -> doneBurn[pendBy] = nextB - 1; pendB = 0; pendBy = 0 }
  :: atomic { pendB == ORDER -> execute_hedge() }
  :: atomic { lagging -> lagging = false; posBbefore = posB }
  od
}

/* --- account A ---------------------------------------------------------------------------------------------------- */

#define ROUND_FILLED (dTotal != dRoundBase)
#ifdef MUTANT_NO_ARMING
#define ARMED true
#else
#define ARMED (heardArmed == dAnnounce)
#endif
#ifdef MUTANT_ANY_CONFIRM
#define HEDGED heardConfirm
#define SEEN_HEDGED true
#else
#define SEEN_HEDGED RESIDUAL(dTotal + seenB)
#define HEDGED (heardConfirm && heardRound == dRound && heardTotal == dTotal && SEEN_HEDGED && !heardBusy)
#endif

inline settle_quote() {        /* A's order has ended, and its row has been read */
  dTotal = posA; stA = ready; nonceA = nextA; dSide = 0; dLots = 0
}

inline forget_A() {
  stA = boot; nonceA = 0; seenB = 0;
  heardEpoch = 0; heardArmed = 0; heardRound = 0; heardTotal = 0; heardConfirm = false; heardFailed = false;
  heardBusy = false
}

/* No B that A would listen to runs: a fenced one has ended, and an older epoch is not heard. */
#define deaf_to(i) (stB[i] == superseded || stB[i] == off || epochB[i] < heardEpoch)
#if INSTANCES > 1
#define no_hedger (deaf_to(0) && deaf_to(1))
#else
#define no_hedger deaf_to(0)
#endif

inline announce() {
  dAnnounce++; stA = announced;
  if :: RESIDUAL(dTotal) -> dLots = LOTS; if :: dSide = 1 :: dSide = -1 fi        /* open, long or short */
     :: !RESIDUAL(dTotal) -> dLots = ABS(dTotal); dSide = (dTotal > 0 -> -1 : 1)    /* close */
  fi
}

inline put_quote() {
  if :: wireQuote = nonceA; wireSide = dSide; wireLots = dLots
     :: skip                                               /* lost */
  fi
}

inline put_cancel() {
  if :: wireCancel = nonceA :: skip fi
}

#define busy(i) (stB[i] != ready)
#define armed_now(i) (stB[i] == ready -> armedFor[i] : 0)
#define confirms(i) (stB[i] == ready && RESIDUAL(seenA[i] + ownB[i]))
#define stale(i) (heardEpoch != epochB[i] || heardArmed != armed_now(i) || heardFailed != dFailed[i] || \
  heardBusy != busy(i) || heardConfirm != confirms(i) || \
  (confirms(i) && (heardRound != roundB[i] || heardTotal != seenA[i])))

inline hear(i) {
  heardEpoch = epochB[i]; heardArmed = armed_now(i); heardFailed = dFailed[i]; heardBusy = busy(i);
  heardConfirm = confirms(i);
  heardRound = (heardConfirm -> roundB[i] : 0); heardTotal = (heardConfirm -> seenA[i] : 0)
}

active proctype A() {
end: do
  :: atomic { stA == boot -> nonceA = nextA; wireBurnA = nonceA; stA = burning }
  :: atomic { stA == burning && doneBurnA == nonceA && nonceA -> settle_quote(); seenB = posB }
  :: atomic { stA == burning && nextA > nonceA && doneBurnA != nonceA && !landing -> stA = boot }

  /* the gate */
  :: atomic { stA == ready && dRoundOpen && ROUND_FILLED && HEDGED -> dRoundOpen = false; dRoundBase = dTotal }
  :: atomic { stA == ready && !dRoundOpen && dRound < ROUNDS && dAnnounce < ATTEMPTS && !dPaused && !heardFailed &&
       SEEN_HEDGED ->
       dRound++; dRoundOpen = true; announce() }
  :: atomic { stA == ready && dRoundOpen && !ROUND_FILLED && dAnnounce < ATTEMPTS && !dPaused && !heardFailed -> announce() }
  :: atomic { stA == announced && dAnnounce < ATTEMPTS -> stA = ready; dSide = 0; dLots = 0 }      /* withdrawn unsent */
  :: atomic { stA == announced && ARMED && !dPaused && !heardFailed ->
       assert(RESIDUAL(NET) && !resting && !landing);   /* I1 */
       assert(everArmed == dAnnounce);                     /* I7 */
       assert(!everPaused);                                /* a pause holds */
       stA = sent; put_quote() }

  /* an unknown quote: the same bytes again, or a burn under the same nonce */
  :: atomic { stA == sent && wireQuote != nonceA && nextA == nonceA && !dPaused ->
       wireQuote = nonceA; wireSide = dSide; wireLots = dLots }
  :: atomic { stA == sent && wireBurnA != nonceA && nextA == nonceA -> wireBurnA = nonceA }
  :: atomic { stA == sent && doneBurnA == nonceA -> settle_quote() }
  :: atomic { stA == sent && nextA > nonceA && doneBurnA != nonceA && !landing ->
       stA = quoting; nonceA = nextA }
#ifdef MUTANT_ABSENT
  :: atomic { stA == sent && nextA == nonceA -> dTotal = posA; stA = ready; nonceA = nextA + 1 }
#endif
  :: atomic { stA == quoting && !resting -> settle_quote() }
  :: atomic { stA == quoting && resting -> stA = cancelling; put_cancel() }
  :: atomic { stA == cancelling && wireCancel != nonceA && nextA == nonceA -> wireCancel = nonceA }
#ifdef MUTANT_CANCEL_ACK
  :: atomic { stA == cancelling && wireCancel -> wireCancel = 0; settle_quote() }
#endif
  :: atomic { stA == cancelling && nextA > nonceA && !resting -> settle_quote() }

  /* what A hears and sees */
  :: atomic { stB[0] != off && stB[0] != superseded && epochB[0] >= heardEpoch && stale(0) -> hear(0) }
#if INSTANCES > 1
  :: atomic { stB[1] != off && stB[1] != superseded && epochB[1] >= heardEpoch && stale(1) -> hear(1) }
#endif
  :: atomic { stA != boot && stA != burning && seenB != posB -> seenB = posB }
  :: atomic { heardFailed && !dPaused && !RESIDUAL(NET) -> dPaused = true; everPaused = true }
  :: atomic { !dPaused && !RESIDUAL(NET) && no_hedger -> dPaused = true; everPaused = true }  /* unhedged for too long */
#if RESUMES > 0
  :: atomic { dPaused && RESIDUAL(NET) && stA == ready && !heardFailed && !heardBusy && resumed == RESUMES ->
       dPaused = false; everPaused = false }                                                     /* and resume */
#endif
  :: atomic { dCrashes < CRASHES -> dCrashes++;
#ifdef MUTANT_PAUSE_LOST
       dPaused = false;
#endif
       forget_A() }
  od
}

/* --- account B ---------------------------------------------------------------------------------------------------- */

#ifdef MUTANT_NO_RESIDUAL
#define MISSING(i) (RESIDUAL(dRoundBase) -> -(seenA[i] - dRoundBase) - ownB[i] : -(seenA[i] + ownB[i]))
#else
#define MISSING(i) (-(seenA[i] + ownB[i]))
#endif
#define NEXT(i) nonceB[i] = nonceB[i] + 1; armedFor[i] = 0; armed[i] = 0; hedge[i] = 0; stB[i] = ready

inline forget_B(i) {
  stB[i] = boot; nonceB[i] = 0; seenA[i] = 0; ownB[i] = 0; roundB[i] = 0; hedge[i] = 0; armedFor[i] = 0; armed[i] = 0;
  epochs++; epochB[i] = epochs
}

inline void_tries(i) {
  if :: RESIDUAL(seenA[i] + ownB[i]) -> dTries[i] = 0; dFailed[i] = false :: else fi
}

inline put_hedge(i) {
  if :: wireOrder[i] = nonceB[i]; wireHedge[i] = hedge[i]
     :: skip                                               /* lost */
  fi
}

inline arm(i) {                /* what a full fill of A's announced quote would leave missing */
  short target;
  target = -(seenA[i] + ownB[i] + dSide * (dLots - ABS(seenA[i] - dTotal)));
  if :: RESIDUAL(target) -> target = 0 :: else fi;
  armed[i] = target; armedFor[i] = dAnnounce; everArmed = dAnnounce; roundB[i] = dRound;
  dArmed[i] = target; dArmedNonce[i] = nonceB[i];
  target = 0
}

#ifdef MUTANT_ARMED_SIZE
#define ARMED_FITS(i) (armed[i] != 0)
#else
#define ARMED_FITS(i) (armed[i] == MISSING(i))
#endif
#define wanted(i) (SAME_SIGN(hedge[i], MISSING(i)) && ABS(hedge[i]) <= ABS(MISSING(i)))
#define running(i) (stB[i] == ready || stB[i] == signed || stB[i] == sent)
#define hedges(i) (stB[i] == ready && !dFailed[i] && dTries[i] < TRIES && !RESIDUAL(MISSING(i)))

inline forget_superseded(i) {
  nonceB[i] = 0; seenA[i] = 0; ownB[i] = 0; roundB[i] = 0; hedge[i] = 0; armedFor[i] = 0; armed[i] = 0
}

proctype B(byte i) {
end: do
  /* a start: burn, wait for the burn, wait out the lag, read */
  :: atomic { stB[i] == boot -> nonceB[i] = nextB;
#ifdef MUTANT_NO_START_BURN
       seenA[i] = posA; ownB[i] = posB; stB[i] = ready
#else
       wireBurn[i] = nonceB[i]; stB[i] = burning
#endif
     }
  :: atomic { stB[i] == burning && doneBurn[i] == nonceB[i] -> stB[i] = lag }
  :: atomic { stB[i] == burning && nextB > nonceB[i] && doneBurn[i] != nonceB[i] && !pendB -> stB[i] = boot }
#ifdef MUTANT_RESEND
  :: atomic { stB[i] == burning && dArmed[i] != 0 && dArmedNonce[i] == nonceB[i] && wireOrder[i] != nonceB[i] && nextB == nonceB[i] ->
       hedge[i] = dArmed[i]; wireOrder[i] = nonceB[i]; wireHedge[i] = hedge[i]; hedge[i] = 0 }
#endif
#ifdef MUTANT_NO_LAG
  :: atomic { stB[i] == lag && lagging -> seenA[i] = posA; ownB[i] = posBbefore; NEXT(i) }
#endif
  :: atomic { stB[i] == lag && !lagging -> seenA[i] = posA; ownB[i] = posB; NEXT(i) }

  /* what B hears and sees of A */
  :: atomic { running(i) && seenA[i] != posA -> seenA[i] = posA }
  :: atomic { running(i) && roundB[i] != dRound -> roundB[i] = dRound }
  :: atomic { stB[i] == ready && (stA == announced || stA == sent || stA == quoting || stA == cancelling) && !dFailed[i] &&
       armedFor[i] != dAnnounce -> arm(i) }

  /* hedge what is missing: armed bytes at once, else sign, journal, send */
  :: atomic { hedges(i) && armedFor[i] &&
ARMED_FITS(i) -> hedge[i] = armed[i]; stB[i] = sent; put_hedge(i) }
  :: atomic { hedges(i) -> hedge[i] = MISSING(i); stB[i] = signed }
  :: atomic { stB[i] == signed -> stB[i] = sent; put_hedge(i) }

  /* an unknown hedge: the same bytes while they are wanted, or a burn under the same nonce */
  :: atomic { stB[i] == sent && wireOrder[i] != nonceB[i] && nextB == nonceB[i] && wanted(i) && wireBurn[i] != nonceB[i] ->
       wireOrder[i] = nonceB[i]; wireHedge[i] = hedge[i] }
  :: atomic { stB[i] == sent && wireBurn[i] != nonceB[i] && nextB == nonceB[i] && !wanted(i) -> wireBurn[i] = nonceB[i] }
  :: atomic { stB[i] == sent && wireBurn[i] != nonceB[i] && nextB == nonceB[i] && wanted(i) && expired < EXPIRIES ->
       expired++; wireBurn[i] = nonceB[i] }
#ifdef MUTANT_NEW_NONCE
  :: atomic { stB[i] == sent && nextB == nonceB[i] && wireOrder[i] -> NEXT(i) }
#endif
#ifdef MUTANT_CONSUMED
  :: atomic { stB[i] == sent && nextB > nonceB[i] && doneOrder[i] != nonceB[i] -> NEXT(i) }
#endif

  /* verdicts: by what has executed */
  :: atomic { stB[i] == sent && doneOrder[i] == nonceB[i] -> ownB[i] = ownB[i] + doneFill[i];
       if :: doneFill[i] == 0 -> dTries[i]++ :: else fi;
       NEXT(i); void_tries(i) }
  :: atomic { stB[i] == sent && doneBurn[i] == nonceB[i] -> NEXT(i) }
  :: atomic { (stB[i] == sent || stB[i] == signed || stB[i] == ready) && nextB > nonceB[i] && !pendB &&
       doneOrder[i] != nonceB[i] && doneBurn[i] != nonceB[i] ->
#ifdef MUTANT_ADOPT
       NEXT(i)
#else
       stB[i] = superseded; forget_superseded(i)
#endif
     }
  :: atomic { stB[i] == ready && !dFailed[i] && dTries[i] >= TRIES && !RESIDUAL(MISSING(i)) -> dFailed[i] = true }
#if RESUMES > 0
  :: atomic { dFailed[i] && resumed < RESUMES -> resumed++; dTries[i] = 0; dFailed[i] = false }   /* new tries */
#endif
  :: atomic { stB[i] == off || (dCrashes < CRASHES && stB[i] != superseded) ->   /* the second instance starts; or a crash */
       if :: stB[i] == off :: else -> dCrashes++ fi;
       forget_B(i) }
  od
}

/* --- the end of everything ------------------------------------------------------------------------------------------ */

proctype AtTheEnd() {          /* nothing can happen any more */
end: timeout ->
  assert(RESIDUAL(NET) || dPaused);                                              /* hedged or paused */
  assert(!resting && !landing);
  assert(dPaused || no_hedger || (!dRoundOpen && dRound == ROUNDS) || dAnnounce == ATTEMPTS)   /* and not stuck */
}

init {
  atomic {
    stB[0] = boot; epochs = 1; epochB[0] = 1;
#if INSTANCES > 1
    stB[1] = off; run B(1);
#endif
    run B(0); run AtTheEnd()
  }
}
