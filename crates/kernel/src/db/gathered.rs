//! Work of one kind that is done together.

use std::{
    collections::{HashMap, hash_map::Entry},
    future::poll_fn,
    hash::Hash,
    mem,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    runtime::{Handle, Id},
    sync::oneshot,
    time::timeout,
};
use tracing::{Instrument, Span};

/// How much of a lane is under way.
const UNDER_WAY: usize = 2;
/// How long anybody waits for their turn. More comes under way then: what is, waits for a lock perhaps, or for a server
/// that is not there any more.
const TURN: Duration = Duration::from_millis(100);

type Working = Pin<Box<dyn Future<Output = ()> + Send>>;
type Work<G, T, A> = dyn Fn(G, Vec<Ask<T, A>>) -> Working + Send + Sync;

/// Does for many at once what each would do on its own, in fewer statements.
///
/// Whoever asks while two are under way waits until one is over, and goes with all who came meanwhile into what is done
/// next: the more ask, the less each of them costs. What is done begins after everybody in it has asked. Those who go
/// together have the same group, such as a season. Each runtime has its own, on its own connections. A trace shows what is
/// done in the request of whoever came first.
pub struct Gathered<G, T, A> {
    work: Box<Work<G, T, A>>,
    /// How many go together at most.
    most: usize,
    lanes: Mutex<Lanes<G, T, A>>,
}

/// What one of those who go together asks for.
pub struct Ask<T, A> {
    pub item: T,
    pub caller: Caller<A>,
    within: Span,
    number: u64,
}

/// Who waits for an answer. Whoever gets none finds an error.
pub struct Caller<A>(oneshot::Sender<A>);

impl<A> Caller<A> {
    pub fn answer(self, answer: A) {
        // Who has hung up needs none.
        drop(self.0.send(answer));
    }

    /// Whether somebody is still there for the answer.
    pub fn waits(&self) -> bool {
        !self.0.is_closed()
    }

    fn has_hung_up(&mut self, context: &mut Context<'_>) -> bool {
        self.0.poll_closed(context).is_ready()
    }
}

/// Works until it is done, or until one of the callers hangs up: then what is under way is dropped, `None`.
pub async fn while_all_wait<A, R>(
    callers: &mut [Caller<A>],
    work: impl Future<Output = R>,
) -> Option<R> {
    let gone =
        |context: &mut Context<'_>| callers.iter_mut().any(|caller| caller.has_hung_up(context));
    until(work, gone).await
}

/// Works until it is done, or until all callers have hung up: then what is under way is dropped, `None`.
pub async fn while_any_waits<A, R>(
    callers: &mut [Caller<A>],
    work: impl Future<Output = R>,
) -> Option<R> {
    let gone = |context: &mut Context<'_>| {
        // All are asked, so that each wakes this up.
        let waiting = callers
            .iter_mut()
            .map(|caller| !caller.has_hung_up(context));
        waiting.filter(|waits| *waits).count() == 0
    };
    until(work, gone).await
}

async fn until<R>(
    work: impl Future<Output = R>,
    mut is_over: impl FnMut(&mut Context<'_>) -> bool,
) -> Option<R> {
    let mut work = pin!(work);
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if is_over(context) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Those of whom something is under way.
type Lanes<G, T, A> = HashMap<(Id, G), Lane<T, A>>;

/// Those of a runtime and a group.
struct Lane<T, A> {
    /// Whose turn has not come.
    waiting: Vec<Ask<T, A>>,
    /// How many have asked.
    asked: u64,
    under_way: usize,
}

impl<G, T, A> Gathered<G, T, A>
where
    G: Copy + Eq + Hash + Send + Sync + 'static,
    T: Send + 'static,
    A: Send + 'static,
{
    /// `work` gets from 1 to `most`, and answers each of them.
    pub fn new<F>(
        most: usize,
        work: impl Fn(G, Vec<Ask<T, A>>) -> F + Send + Sync + 'static,
    ) -> Arc<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Arc::new(Self {
            work: Box::new(move |group, asks| Box::pin(work(group, asks))),
            most,
            lanes: Mutex::default(),
        })
    }

    /// What the item is answered; `None` if it was not, because of a panic. What was done then is not known.
    pub async fn ask(self: &Arc<Self>, group: G, item: T) -> Option<A> {
        let (answer, mut answered) = oneshot::channel();
        let at = (Handle::current().id(), group);
        let (works, number) = {
            let mut lanes = lock(&self.lanes);
            let lane = lanes.entry(at).or_insert_with(|| Lane {
                waiting: Vec::new(),
                asked: 0,
                under_way: 0,
            });
            lane.asked += 1;
            lane.waiting.push(Ask {
                item,
                caller: Caller(answer),
                within: Span::current(),
                number: lane.asked,
            });
            let works = lane.under_way < UNDER_WAY;
            lane.under_way += usize::from(works);
            (works, lane.asked)
        };
        if works {
            self.work_at(at);
        }
        loop {
            match timeout(TURN, &mut answered).await {
                Ok(answer) => return answer.ok(),
                Err(_) if self.waits_in_vain(at, number) => self.work_at(at),
                Err(_) => {}
            }
        }
    }

    /// On its own: whoever came first may hang up, and is answered as soon as the first work is done.
    fn work_at(self: &Arc<Self>, at: (Id, G)) {
        let worker = Worker {
            of: self.clone(),
            at,
            has_worked: false,
            is_over: false,
        };
        tokio::spawn(worker.run());
    }

    /// Whether nobody has begun with this one yet: then another worker has to, and is counted.
    fn waits_in_vain(&self, at: (Id, G), number: u64) -> bool {
        let mut lanes = lock(&self.lanes);
        let Some(lane) = lanes.get_mut(&at) else {
            return false;
        };
        let next = lane.waiting.first();
        let waits = next.is_some_and(|next| next.number <= number);
        lane.under_way += usize::from(waits);
        waits
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        lock(&self.lanes).is_empty()
    }
}

/// Serves those of a lane until nobody waits.
struct Worker<G, T, A>
where
    G: Copy + Eq + Hash,
{
    of: Arc<Gathered<G, T, A>>,
    at: (Id, G),
    has_worked: bool,
    is_over: bool,
}

impl<G, T, A> Worker<G, T, A>
where
    G: Copy + Eq + Hash,
{
    async fn run(mut self) {
        while let Some(next) = self.next() {
            let within = next
                .first()
                .map_or_else(Span::none, |ask| ask.within.clone());
            (self.of.work)(self.at.1, next).instrument(within).await;
        }
    }

    /// Those whose turn it is. It is this worker's end if nobody waits, or if there are more workers than there should be.
    fn next(&mut self) -> Option<Vec<Ask<T, A>>> {
        let mut lanes = lock(&self.of.lanes);
        if let Some(lane) = lanes.get_mut(&self.at) {
            lane.waiting.retain(|ask| ask.caller.waits());
            let is_too_many = self.has_worked && lane.under_way > UNDER_WAY;
            if !lane.waiting.is_empty() && !is_too_many {
                self.has_worked = true;
                let later = lane.waiting.split_off(lane.waiting.len().min(self.of.most));
                return Some(mem::replace(&mut lane.waiting, later));
            }
        }
        self.is_over = true;
        leave(&mut lanes, self.at);
        None
    }
}

impl<G, T, A> Drop for Worker<G, T, A>
where
    G: Copy + Eq + Hash,
{
    fn drop(&mut self) {
        if !self.is_over {
            leave(&mut lock(&self.of.lanes), self.at);
        }
    }
}

/// One worker fewer is there. With the last of them the lane ends, if nobody waits in it.
fn leave<G: Eq + Hash, T, A>(lanes: &mut Lanes<G, T, A>, at: (Id, G)) {
    if let Entry::Occupied(mut lane) = lanes.entry(at) {
        lane.get_mut().under_way -= 1;
        if lane.get().under_way == 0 && lane.get().waiting.is_empty() {
            lane.remove();
        }
    }
}

fn lock<T>(lanes: &Mutex<T>) -> MutexGuard<'_, T> {
    lanes.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::{
        task::{JoinHandle, yield_now},
        time::Instant,
    };

    use super::*;

    /// Answers how many it was asked together with; whoever asks for 0 is never answered.
    fn counting() -> Arc<Gathered<(), u32, usize>> {
        Gathered::new(3, |(), asks: Vec<Ask<u32, usize>>| async move {
            let together = asks.len();
            for ask in asks {
                if ask.item == 0 {
                    pending::<()>().await;
                }
                ask.caller.answer(together);
            }
        })
    }

    fn ask(of: &Arc<Gathered<(), u32, usize>>, item: u32) -> JoinHandle<Option<usize>> {
        let of = of.clone();
        tokio::spawn(async move { of.ask((), item).await })
    }

    /// As many as are under way, none of which ends.
    async fn stuck(of: &Arc<Gathered<(), u32, usize>>) -> Vec<JoinHandle<Option<usize>>> {
        let mut stuck = Vec::new();
        for _ in 0..UNDER_WAY {
            stuck.push(ask(of, 0));
            settle().await;
        }
        stuck
    }

    async fn settle() {
        for _ in 0..100 {
            yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_long_for_what_does_not_end() {
        let counting = counting();
        let stuck = stuck(&counting).await;
        let started = Instant::now();
        let later: Vec<_> = (1..=4).map(|item| ask(&counting, item)).collect();
        let mut together = Vec::new();
        for later in later {
            together.push(later.await.unwrap().unwrap());
        }
        assert_eq!(together, [3, 3, 3, 1]);
        assert_eq!(started.elapsed(), TURN);
        assert!(stuck.iter().all(|stuck| !stuck.is_finished()));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_hung_up_is_not_served() {
        let counting = counting();
        let stuck = stuck(&counting).await;
        let (gone, there) = (ask(&counting, 1), ask(&counting, 2));
        settle().await;
        gone.abort();
        assert_eq!(there.await.unwrap(), Some(1));
        assert!(stuck.iter().all(|stuck| !stuck.is_finished()));
    }

    #[tokio::test]
    async fn work_is_dropped_when_one_hangs_up_or_when_all_have() {
        let (first, waits_first) = oneshot::channel::<()>();
        let (second, waits_second) = oneshot::channel::<()>();
        let mut callers = [Caller(first), Caller(second)];
        assert_eq!(while_all_wait(&mut callers, async { 1 }).await, Some(1));
        drop(waits_first);
        assert_eq!(while_all_wait(&mut callers, pending::<()>()).await, None);
        let any = tokio::spawn(async move {
            let done = while_any_waits(&mut callers, pending::<()>()).await;
            assert_eq!(done, None);
            assert!(callers.iter().all(|caller| !caller.waits()));
        });
        settle().await;
        assert!(!any.is_finished());
        drop(waits_second);
        any.await.unwrap();
    }
}
