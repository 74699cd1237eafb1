#include "team.h"

#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>

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

template <typename Condition>
void spinUntil(Condition isMet) {
  for (int k = 0; !isMet(); k++) k < PATIENCE ? pause() : std::this_thread::yield();
}

/** The threads beside the one that asks; made when first needed, they live as long as the process. */
class Team {
 public:
  void run(int count, const std::function<void(const Member&)>& work) {
    std::atomic<int> arrived{0};
    std::atomic<int> phase{0};
    for (; running_ < count - 1; running_++)
      std::thread([this, index = running_ + 1, seen = turn_.load()] { serve(index, seen); }).detach();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      task_ = {&work, &arrived, &phase, count};
      busy_.store(count - 1, std::memory_order_relaxed);
      turn_.fetch_add(1, std::memory_order_release);
    }
    called_.notify_all();
    work(Member(0, count, &arrived, &phase));
    spinUntil([this] { return busy_.load(std::memory_order_acquire) == 0; });
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
      for (int k = 0; k < PATIENCE && turn_.load(std::memory_order_acquire) == seen; k++) pause();
      Task task;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        called_.wait(lock, [&] { return turn_.load(std::memory_order_relaxed) != seen; });
        seen = turn_.load(std::memory_order_relaxed);
        task = task_;
      }
      if (index >= task.count) continue;
      (*task.work)(Member(index, task.count, task.arrived, task.phase));
      busy_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex mutex_;
  std::condition_variable called_;
  std::atomic<long> turn_{0};
  std::atomic<int> busy_{0};
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

void together(const std::function<void(const Member&)>& work) {
  const std::unique_lock<std::mutex> lock(oneAtATime, std::try_to_lock);
  const int count = threads;
  if (count == 1 || !lock.owns_lock()) return alone(work);
  team().run(count, work);
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
