package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// callbackPatience is longer than the client may take for one asynchronous send, which it tries once.
const callbackPatience = fixedDeadline + 30*time.Second

// sender sends the messages of a phase.
type sender struct {
	client  rocketmq.Producer
	options *options
	body    []byte
}

func newSender(client rocketmq.Producer, options *options) *sender {
	return &sender{client, options, bytes.Repeat([]byte("x"), options.body)}
}

// warmUp fails if not even the first message can be sent.
func (s *sender) warmUp() error {
	if s.options.warmUp == 0 {
		return nil
	}
	probe := newPhase(0, 1, 0)
	s.sendOne(probe, 0, time.Now())
	if probe.failed > 0 {
		return fmt.Errorf("the first message failed: %s", *probe.firstError)
	}
	return s.send(newPhase(1, s.options.warmUp-1, 0))
}

// send returns when every message of the phase has ended.
func (s *sender) send(phase *phase) error {
	if s.options.mode == "async" {
		return s.sendAsync(phase)
	}
	s.sendSync(phase)
	return nil
}

// sendSync lets as many goroutines as messages may be in flight send one after the other.
func (s *sender) sendSync(phase *phase) {
	var busy sync.WaitGroup
	for i := 0; i < s.options.inFlight; i++ {
		busy.Add(1)
		go func() {
			defer busy.Done()
			for place, since, ok := phase.take(); ok; place, since, ok = phase.take() {
				s.sendOne(phase, place, since)
			}
		}()
	}
	busy.Wait()
}

func (s *sender) sendOne(phase *phase, place int64, since time.Time) {
	ctx, cancel := s.context()
	defer cancel()
	result, err := s.client.SendSync(ctx, s.message(phase, place))
	ended(phase, since, result, err)
}

// sendAsync submits from one goroutine; callbacks make room.
func (s *sender) sendAsync(phase *phase) error {
	room := make(chan struct{}, s.options.inFlight)
	patience := time.NewTimer(callbackPatience)
	defer patience.Stop()
	for {
		select {
		case room <- struct{}{}:
		default:
			patience.Reset(callbackPatience)
			select {
			case room <- struct{}{}:
			case <-patience.C:
				return fmt.Errorf("no callback came for %v, although all %d were due", callbackPatience, s.options.inFlight)
			}
		}
		place, since, ok := phase.take()
		if !ok {
			<-room
			return s.drain(phase, room)
		}
		s.submit(phase, place, since, room)
	}
}

func (s *sender) submit(phase *phase, place int64, since time.Time, room <-chan struct{}) {
	ctx, cancel := s.context()
	// The client may call back twice when a send has failed.
	var over atomic.Bool
	end := func(result *primitive.SendResult, err error) {
		if over.CompareAndSwap(false, true) {
			cancel()
			ended(phase, since, result, err)
			<-room
		}
	}
	callback := func(_ context.Context, result *primitive.SendResult, err error) { end(result, err) }
	if err := s.client.SendAsync(ctx, callback, s.message(phase, place)); err != nil {
		end(nil, err)
	}
}

// drain waits until all room is free again.
func (s *sender) drain(phase *phase, room chan struct{}) error {
	patience := time.NewTimer(callbackPatience)
	defer patience.Stop()
	for i := 0; i < cap(room); i++ {
		select {
		case room <- struct{}{}:
		case <-patience.C:
			for ; i < cap(room); i++ {
				phase.endedBadly("the callback was never called")
			}
		}
	}
	return nil
}

// context has a limit only if it is shorter than the client's own, which costs nothing here.
func (s *sender) context() (context.Context, context.CancelFunc) {
	if s.options.deadline == fixedDeadline {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), s.options.deadline)
}

func (s *sender) message(phase *phase, place int64) *primitive.Message {
	return primitive.NewMessage(s.options.topic, s.body).WithTag("TagA").WithKeys([]string{phase.key(place)})
}

func ended(phase *phase, since time.Time, result *primitive.SendResult, err error) {
	switch {
	case err != nil:
		phase.endedBadly(err.Error())
	case result == nil:
		phase.endedBadly("neither a result nor an error")
	case result.Status != primitive.SendOK:
		phase.endedBadly(fmt.Sprintf("status %d", result.Status))
	default:
		phase.endedWell(since)
	}
}
