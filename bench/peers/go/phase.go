package main

import (
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	mostNanoseconds = int64(10 * time.Minute)
	// Three digits are kept: 0.1 % of the value.
	digits        = 3
	mostErrorText = 300
	// PR_SET_TIMERSLACK of linux/prctl.h, which package syscall does not have.
	setTimerSlack = 29
)

// phase is one stretch of sends: it hands out the numbers of the messages, and is told how each of them ended.
type phase struct {
	first, count int64
	rate         float64

	start time.Time
	next  atomic.Int64
	due   chan int64 // of a fixed rate

	mutex      sync.Mutex
	latencies  *hdrhistogram.Histogram
	stored     int64
	failed     int64
	firstError *string
}

// newPhase is one of count messages with the numbers first, first + 1, ...; a rate of 0 is none.
func newPhase(first, count int64, rate float64) *phase {
	return &phase{
		first:     first,
		count:     count,
		rate:      rate,
		latencies: hdrhistogram.New(1, mostNanoseconds, digits),
	}
}

// begin starts the clock, and the thread that says when a message is due.
func (p *phase) begin() {
	p.start = time.Now()
	if p.rate > 0 {
		p.due = make(chan int64, 1024)
		go p.pace()
	}
}

// pace sleeps in the kernel on a thread of its own: a sleeping goroutine is woken up to a millisecond late when the
// others have nothing to do.
func (p *phase) pace() {
	runtime.LockOSThread()
	defer close(p.due)
	// The system may let a thread sleep 50 µs longer than it wishes. Where it does not listen, it does.
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1, 0)
	for place := int64(0); place < p.count; place++ {
		for left := time.Until(p.intended(place)); left > 0; left = time.Until(p.intended(place)) {
			pause := syscall.NsecToTimespec(left.Nanoseconds())
			// Interrupted by a signal, it is called again with what is left.
			_ = syscall.Nanosleep(&pause, nil)
		}
		p.due <- place
	}
}

func (p *phase) intended(place int64) time.Time {
	return p.start.Add(time.Duration(float64(place) * 1e9 / p.rate))
}

// take waits until the next message is due. It returns its place in this phase, from 0, and the instant from which its
// latency counts; false if there is no message left. At a fixed rate that instant is the intended one: a message that
// could not leave in time because others were in its way has waited already.
func (p *phase) take() (int64, time.Time, bool) {
	if p.due != nil {
		place, ok := <-p.due
		return place, p.intended(place), ok
	}
	place := p.next.Add(1) - 1
	return place, time.Now(), place < p.count
}

func (p *phase) key(place int64) string {
	return "k" + strconv.FormatInt(p.first+place, 10)
}

func (p *phase) endedWell(since time.Time) {
	latency := min(max(time.Since(since).Nanoseconds(), 1), mostNanoseconds)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.stored++
	// It takes every value up to the most.
	_ = p.latencies.RecordValue(latency)
}

func (p *phase) endedBadly(cause string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.failed++
	if p.firstError == nil {
		line, _, _ := strings.Cut(cause, "\n")
		line = strings.ToValidUTF8(line[:min(len(line), mostErrorText)], "")
		p.firstError = &line
	}
}

// percentile is in microseconds, and nil if no latency is known.
func (p *phase) percentile(percent float64) *float64 {
	if p.latencies.TotalCount() == 0 {
		return nil
	}
	value := float64(p.latencies.ValueAtQuantile(percent)) / 1e3
	return &value
}
