#include "team.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace dragoman {
namespace {

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/** Looks at a condition before the processor is given to others: some tens of microseconds. */
constexpr int PATIENCE = 2000;
/** How long a thread without work waits awake: about as long as JavaScript takes from one operation to the next. */
constexpr std::chrono::microseconds AWAKE(150);

template <typename Condition>
void spinUntil(Condition isMet) {
  for (int k = 0; !isMet(); k++) k < PATIENCE ? pause() : std::this_thread::yield();
}

/** The threads beside the one that asks; made when first needed, they live as long as the process. */
class Team {
 public:
  /** Whether there are so many, the caller among them: makes those that are missing, if the system lets it. */
  bool has(int count) {
    try {
      for (; running_ < count - 1; running_++)
        std::thread([this, index = running_ + 1, seen = turn_.load()] { serve(index, seen); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    return true;
  }

  /** @param all whether the others have to take part; if not, those that come too late are not waited for */
  void run(int count, bool all, const std::function<void(const Member&)>& work) {
    std::atomic<int> arrived{0};
    std::atomic<int> phase{0};
    {
      std::lock_guard<std::mutex> lock(mutex_);
      task_ = {&work, &arrived, &phase, count};
      awaited_.store(all ? count - 1 : 0, std::memory_order_relaxed);
      inside_.store(0, std::memory_order_relaxed);
      turn_.fetch_add(1, std::memory_order_release);
    }
    called_.notify_all();
    work(Member(0, count, &arrived, &phase));
    spinUntil([this] {
      int none = 0;
      return awaited_.load(std::memory_order_acquire) <= 0 &&
             inside_.compare_exchange_strong(none, CLOSED, std::memory_order_acq_rel);
    });
  }

 private:
  struct Task {
    const std::function<void(const Member&)>* work;
    std::atomic<int>* arrived;
    std::atomic<int>* phase;
    int count;
  };

  void serve(int index, long seen) {
    for (;;) {
      const auto until = std::chrono::steady_clock::now() + AWAKE;
      while (turn_.load(std::memory_order_acquire) == seen && std::chrono::steady_clock::now() < until)
        for (int k = 0; k < 16; k++) pause();
      Task task;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        called_.wait(lock, [&] { return turn_.load(std::memory_order_relaxed) != seen; });
        seen = turn_.load(std::memory_order_relaxed);
        task = task_;
        if (index >= task.count || !enter()) continue;
      }
      (*task.work)(Member(index, task.count, task.arrived, task.phase));
      awaited_.fetch_sub(1, std::memory_order_relaxed);
      inside_.fetch_sub(1, std::memory_order_release);
    }
  }

  /** Whether the work is still going on, which then waits for this thread. */
  bool enter() {
    int inside = inside_.load(std::memory_order_acquire);
    while (inside != CLOSED)
      if (inside_.compare_exchange_weak(inside, inside + 1, std::memory_order_acq_rel)) return true;
    return false;
  }

  static constexpr int CLOSED = -1;

  std::mutex mutex_;
  std::condition_variable called_;
  std::atomic<long> turn_{0};
  /** Threads that have to take part and have not ended, if above 0; those at work now, or that the work is over. */
  std::atomic<int> awaited_{0};
  std::atomic<int> inside_{CLOSED};
  Task task_{};
  int running_ = 0;
};

/** Never destroyed: its threads wait in it when the process ends. */
Team& team() {
  static Team* const only = new Team;
  return *only;
}

std::mutex oneAtATime;
std::atomic<int> threads{1};

struct Memory {
  ~Memory() { release(); }
  void release() {
    if (start) ::operator delete(start, std::align_val_t(64));
  }
  float* start = nullptr;
  long size = 0;
};

}  // namespace

void Member::meet() const {
  if (count == 1) return;
  const int now = phase_->load(std::memory_order_relaxed);
  if (arrived_->fetch_add(1, std::memory_order_acq_rel) == count - 1) {
    arrived_->store(0, std::memory_order_relaxed);
    phase_->store(now + 1, std::memory_order_release);
  } else {
    spinUntil([&] { return phase_->load(std::memory_order_acquire) != now; });
  }
}

void setThreads(int count) { threads = count; }

int threadCount() { return threads; }

void alone(const std::function<void(const Member&)>& work) { work(Member(0, 1, nullptr, nullptr)); }

namespace {

void run(bool all, const std::function<void(const Member&)>& work) {
  const std::unique_lock<std::mutex> lock(oneAtATime, std::try_to_lock);
  const int count = threads;
  if (count == 1 || !lock.owns_lock() || !team().has(count)) return alone(work);
  team().run(count, all, work);
}

}  // namespace

void together(const std::function<void(const Member&)>& work) { run(true, work); }

void share(long pieces, const std::function<void(const Member&, long)>& work) {
  // Each thread begins with pieces of its own, the same in every call: what they read may still be in its cache.
  struct alignas(64) Part {
    std::atomic<long> next;
    long end;
  };
  std::vector<Part> parts(threads);
  const long count = static_cast<long>(parts.size());
  for (long k = 0; k < count; k++) {
    parts[k].next = pieces * k / count;
    parts[k].end = pieces * (k + 1) / count;
  }
  run(false, [&](const Member& member) {
    for (long k = 0; k < count; k++) {
      Part& part = parts[(member.index + k) % count];
      for (long piece; (piece = part.next.fetch_add(1, std::memory_order_relaxed)) < part.end;) work(member, piece);
    }
  });
}

float* scratch(long floats) {
  thread_local Memory memory;
  if (memory.size < floats) {
    memory.release();
    memory.start = nullptr;
    memory.start = static_cast<float*>(::operator new(sizeof(float) * floats, std::align_val_t(64)));
    memory.size = floats;
  }
  return memory.start;
}

}  // namespace dragoman
