//! What Diesel knows of the tables. `tests/schema.rs` holds it against both migrated databases.

diesel::table! {
    setting (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    node (id) {
        id -> BigInt,
        holder -> Text,
        high_water -> BigInt,
        leased_until -> Timestamp,
    }
}

diesel::table! {
    organisation (id) {
        id -> BigInt,
        kind -> Text,
        name -> Text,
        country -> Text,
        status -> Text,
        created_at -> Timestamp,
        sandbox_of -> Nullable<BigInt>,
    }
}

diesel::table! {
    agency (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        parent_id -> Nullable<BigInt>,
        numeric_code -> Text,
        name -> Text,
        country -> Text,
        zone -> Text,
        currency -> Text,
        status -> Text,
        tender_order -> Text,
        created_at -> Timestamp,
        tier -> Text,
        max_unpaid_holds -> BigInt,
        caution -> Text,
        limit_terms -> Text,
        frozen_scopes -> Text,
        alerted_percent -> BigInt,
    }
}

diesel::table! {
    api_key (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        agency_id -> Nullable<BigInt>,
        name -> Text,
        secret_digest -> Binary,
        hint -> Text,
        scopes -> Text,
        allowed_ips -> Text,
        expires_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        user_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    airline (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        iata_code -> Text,
        accounting_code -> Text,
        name -> Text,
        country -> Text,
        status -> Text,
        payee_account -> Text,
        payee_name -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    stock_range (id) {
        id -> BigInt,
        airline_id -> BigInt,
        first_document -> BigInt,
        last_document -> BigInt,
        next_document -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    contract (id) {
        id -> BigInt,
        agency_id -> BigInt,
        airline_id -> Nullable<BigInt>,
        currency -> Text,
        version -> BigInt,
        effective_from -> Date,
        commission_rate -> Text,
        commission_base -> Text,
        fee_rate -> Text,
        tax_remitter -> Text,
        cycle_rule -> Text,
        payment_days -> BigInt,
        clawback -> Text,
        fee_on_refund -> Text,
        airline_return -> Text,
        created_at -> Timestamp,
        due_rule -> Text,
        free_days -> BigInt,
        financing_rate -> Text,
        late_fee_rate -> Text,
        airline_financing_rate -> Text,
        vat_rate -> Text,
        expected_loss_rate -> Text,
        channel_cost_rate -> Text,
        open_memos -> Text,
        approval_id -> Nullable<BigInt>,
        airline_payment -> Text,
        airline_payment_days -> BigInt,
    }
}

diesel::table! {
    limit_policy (id) {
        id -> BigInt,
        currency -> Text,
        version -> BigInt,
        effective_from -> Date,
        deposit_multiplier -> Text,
        cap_minor -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    facility (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        name -> Text,
        currency -> Text,
        debit_account -> Text,
        base_rate -> Text,
        margin_rate -> Text,
        day_count -> Text,
        status -> Text,
        closed_reason -> Nullable<Text>,
        closed_at -> Nullable<Timestamp>,
        max_unconfirmed -> BigInt,
        max_unresolved_secs -> BigInt,
        created_at -> Timestamp,
        base_rate_name -> Nullable<Text>,
        commitment_rate -> Text,
        available_from -> Nullable<Date>,
        available_until -> Nullable<Date>,
    }
}

diesel::table! {
    facility_slice (id) {
        id -> BigInt,
        facility_id -> BigInt,
        stripe -> BigInt,
        limit_minor -> BigInt,
        unconfirmed -> BigInt,
    }
}

diesel::table! {
    account (id) {
        id -> BigInt,
        code -> Text,
        owner_id -> BigInt,
        detail -> Text,
        currency -> Text,
        stripe -> BigInt,
        balance_minor -> BigInt,
        pending_minor -> BigInt,
        version -> BigInt,
        last_entry_id -> BigInt,
    }
}

diesel::table! {
    posting (id) {
        id -> BigInt,
        event -> Text,
        reference_id -> BigInt,
        ledger_date -> Date,
        booked_at -> Timestamp,
        contract_id -> Nullable<BigInt>,
        actor_organisation_id -> BigInt,
        actor_key_id -> BigInt,
        entry_count -> BigInt,
        digest -> Binary,
    }
}

diesel::table! {
    entry (id) {
        id -> BigInt,
        posting_id -> BigInt,
        account_id -> BigInt,
        amount_minor -> BigInt,
        balance_after_minor -> BigInt,
        version -> BigInt,
        previous_entry_id -> BigInt,
        cycle -> Nullable<Text>,
    }
}

diesel::table! {
    hold (id) {
        id -> BigInt,
        account_id -> BigInt,
        reference_id -> BigInt,
        amount_minor -> BigInt,
        posted_minor -> BigInt,
        released_minor -> BigInt,
        state -> Text,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        resolved_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    seal (node, height) {
        node -> BigInt,
        height -> BigInt,
        first_posting_id -> BigInt,
        last_posting_id -> BigInt,
        posting_count -> BigInt,
        head -> Binary,
        sealed_at -> Timestamp,
    }
}

diesel::table! {
    bank_receipt (id) {
        id -> BigInt,
        account -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        value_date -> Date,
        bank_reference -> Text,
        purpose -> Text,
        agency_id -> Nullable<BigInt>,
        airline_id -> Nullable<BigInt>,
        cycle -> Nullable<Text>,
        commission_minor -> BigInt,
        posting_id -> BigInt,
        created_at -> Timestamp,
        guarantee_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    idempotency_key (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        key -> Text,
        fields -> Text,
        resource_id -> Nullable<BigInt>,
        status -> Nullable<BigInt>,
        outcome -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    offer_request (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        agency_id -> BigInt,
        passenger_count -> BigInt,
        offer_count -> BigInt,
        request -> Text,
        offers -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    offer_pricing (id) {
        id -> BigInt,
        offer_request_id -> BigInt,
        offer_id -> BigInt,
        offer -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    private_fare (id) {
        id -> BigInt,
        agency_id -> BigInt,
        code -> Text,
        version -> BigInt,
        kind -> Text,
        carrier -> Text,
        origin -> Text,
        destination -> Text,
        classes -> Text,
        adjustment -> Text,
        percent -> Nullable<BigInt>,
        amount_minor -> Nullable<BigInt>,
        currency -> Text,
        least_travellers -> BigInt,
        effective_from -> Date,
        effective_until -> Nullable<Date>,
        travel_from -> Nullable<Date>,
        travel_until -> Nullable<Date>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    seat_bucket (id) {
        id -> BigInt,
        capacity -> BigInt,
        sold -> BigInt,
        schedule_change_id -> BigInt,
    }
}

diesel::table! {
    air_order (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        agency_id -> BigInt,
        airline_id -> BigInt,
        offer_id -> BigInt,
        contract_id -> Nullable<BigInt>,
        booking_reference -> Text,
        tender -> Nullable<Text>,
        currency -> Text,
        base_minor -> BigInt,
        tax_minor -> BigInt,
        total_minor -> BigInt,
        cycle -> Nullable<Text>,
        metadata -> Text,
        created_at -> Timestamp,
        issued_at -> Nullable<Timestamp>,
        cancelled_at -> Nullable<Timestamp>,
        agency_tier -> Text,
    }
}

diesel::table! {
    passenger (id) {
        id -> BigInt,
        order_id -> BigInt,
        offer_passenger_id -> BigInt,
        kind -> Text,
        sealed -> Binary,
    }
}

diesel::table! {
    name_token (token, agency_id, passenger_id) {
        token -> BigInt,
        agency_id -> BigInt,
        passenger_id -> BigInt,
    }
}

diesel::table! {
    name_index (id) {
        id -> BigInt,
        position -> BigInt,
    }
}

diesel::table! {
    person_key (passenger_id) {
        passenger_id -> BigInt,
        wrapped -> Binary,
    }
}

diesel::table! {
    ticket (id) {
        id -> BigInt,
        number -> Text,
        order_id -> BigInt,
        passenger_id -> BigInt,
        agency_id -> BigInt,
        airline_id -> BigInt,
        contract_id -> BigInt,
        issued_at -> Timestamp,
        issue_date -> Date,
        currency -> Text,
        base_minor -> BigInt,
        tax_minor -> BigInt,
        price_minor -> BigInt,
        airline_minor -> BigInt,
        authority_minor -> BigInt,
        commission_minor -> BigInt,
        fee_minor -> BigInt,
        fare_calculation -> Text,
    }
}

diesel::table! {
    ticket_tax (ticket_id, code) {
        ticket_id -> BigInt,
        code -> Text,
        minor -> BigInt,
        payee -> Text,
        remitter -> Text,
    }
}

diesel::table! {
    coupon (id) {
        id -> BigInt,
        ticket_id -> BigInt,
        number -> BigInt,
        slice -> BigInt,
        carrier -> Text,
        flight_number -> BigInt,
        aircraft -> Text,
        origin -> Text,
        destination -> Text,
        departing_at -> Timestamp,
        arriving_at -> Timestamp,
        duration_minutes -> BigInt,
        distance_km -> BigInt,
        booking_class -> Text,
        cabin -> Text,
        fare_brand -> Text,
        fare_basis -> Text,
        base_minor -> BigInt,
        checked_bag_kg -> BigInt,
        seat_bucket_id -> BigInt,
        seats -> BigInt,
        status -> Text,
        commission_rule_id -> Nullable<BigInt>,
        commission_minor -> BigInt,
    }
}

diesel::table! {
    ticket_document (ticket_id, document) {
        ticket_id -> BigInt,
        document -> BigInt,
        number -> Text,
    }
}

diesel::table! {
    coupon_event (id) {
        id -> BigInt,
        coupon_id -> BigInt,
        ticket_id -> BigInt,
        from_status -> Text,
        to_status -> Text,
        source -> Text,
        file_id -> Nullable<BigInt>,
        actor_organisation_id -> BigInt,
        actor_key_id -> BigInt,
        happened_at -> Timestamp,
        created_at -> Timestamp,
    }
}

diesel::table! {
    coupon_status_file (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        sha256 -> Text,
        line_count -> BigInt,
        done_count -> BigInt,
        applied_count -> BigInt,
        already_count -> BigInt,
        rejected_count -> BigInt,
        created_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    coupon_status_line (id) {
        id -> BigInt,
        file_id -> BigInt,
        line -> BigInt,
        ticket_number -> Text,
        coupon -> BigInt,
        status -> Text,
        outcome -> Text,
        code -> Nullable<Text>,
    }
}

diesel::table! {
    schedule_change (id) {
        id -> BigInt,
        airline_id -> BigInt,
        carrier -> Text,
        flight_number -> BigInt,
        origin -> Text,
        destination -> Text,
        flight_date -> Date,
        kind -> Text,
        new_flight_number -> Nullable<BigInt>,
        new_aircraft -> Nullable<Text>,
        new_departing_at -> Nullable<Timestamp>,
        new_arriving_at -> Nullable<Timestamp>,
        new_duration_minutes -> Nullable<BigInt>,
        reason -> Text,
        order_count -> BigInt,
        actor_organisation_id -> BigInt,
        actor_key_id -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    airline_change (id) {
        id -> BigInt,
        schedule_change_id -> BigInt,
        order_id -> BigInt,
        agency_id -> BigInt,
        airline_id -> BigInt,
        action_taken -> Nullable<Text>,
        action_taken_at -> Nullable<Timestamp>,
        superseded_by -> Nullable<BigInt>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    airline_change_segment (id) {
        id -> BigInt,
        airline_change_id -> BigInt,
        coupon_id -> BigInt,
        flight_number -> BigInt,
        aircraft -> Text,
        departing_at -> Timestamp,
        arriving_at -> Timestamp,
        duration_minutes -> BigInt,
        seat_bucket_id -> BigInt,
        new_seat_bucket_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    advance (id) {
        id -> BigInt,
        ticket_id -> BigInt,
        airline_id -> BigInt,
        facility_id -> Nullable<BigInt>,
        hold_id -> Nullable<BigInt>,
        amount_minor -> BigInt,
        set_off_minor -> BigInt,
        cancelled_minor -> BigInt,
        reclaimed_minor -> BigInt,
        currency -> Text,
        state -> Text,
        attempt -> BigInt,
        sold_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
        confirmed_at -> Nullable<Timestamp>,
        credited_at -> Nullable<Timestamp>,
        bank_reference -> Nullable<Text>,
        detail -> Nullable<Text>,
        resolved_at -> Nullable<Timestamp>,
        waits_until -> Nullable<Timestamp>,
        funding -> Text,
        ordered_at -> Nullable<Timestamp>,
        payee_change_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    advance_attempt (advance_id, attempt) {
        advance_id -> BigInt,
        attempt -> BigInt,
        outcome -> Text,
        detail -> Text,
        sent_at -> Nullable<Timestamp>,
        ended_at -> Timestamp,
    }
}

diesel::table! {
    outbox (id) {
        id -> BigInt,
        kind -> Text,
        subject_id -> BigInt,
        attempts -> BigInt,
        due_at -> Timestamp,
        done_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    audit_event (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        key_id -> BigInt,
        action -> Text,
        subject_id -> BigInt,
        request_id -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    order_cancellation (id) {
        id -> BigInt,
        order_id -> BigInt,
        agency_id -> BigInt,
        refund_minor -> BigInt,
        currency -> Text,
        expires_at -> Timestamp,
        created_at -> Timestamp,
        confirmed_at -> Nullable<Timestamp>,
        application_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    airline_claim (id) {
        id -> BigInt,
        ticket_id -> Nullable<BigInt>,
        airline_id -> BigInt,
        currency -> Text,
        amount_minor -> BigInt,
        settled_minor -> BigInt,
        terms -> Text,
        created_at -> Timestamp,
        settled_at -> Nullable<Timestamp>,
        incentive_period_id -> Nullable<BigInt>,
        memo_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    claim_settlement (id) {
        id -> BigInt,
        claim_id -> BigInt,
        advance_id -> Nullable<BigInt>,
        receipt_id -> Nullable<BigInt>,
        amount_minor -> BigInt,
        posting_id -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    facility_accrual (id) {
        id -> BigInt,
        facility_id -> BigInt,
        day -> Date,
        balance_minor -> BigInt,
        rate_e8 -> BigInt,
        total_scaled -> Text,
        total_booked_minor -> BigInt,
        booked_minor -> BigInt,
        posting_id -> Nullable<BigInt>,
        created_at -> Timestamp,
        corrected_scaled -> Text,
        undrawn_minor -> BigInt,
        commitment_rate_e8 -> BigInt,
        commitment_scaled -> Text,
        commitment_corrected_scaled -> Text,
        commitment_booked_minor -> BigInt,
    }
}

diesel::table! {
    bank_payment (id) {
        id -> BigInt,
        account -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        value_date -> Date,
        bank_reference -> Text,
        purpose -> Text,
        facility_id -> Nullable<BigInt>,
        principal_minor -> BigInt,
        interest_minor -> BigInt,
        payee -> Nullable<Text>,
        tax_code -> Nullable<Text>,
        posting_id -> BigInt,
        created_at -> Timestamp,
        airline_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    cash_transfer (id) {
        id -> BigInt,
        to_account -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        ticket_id -> Nullable<BigInt>,
        bank_reference -> Nullable<Text>,
        value_date -> Nullable<Date>,
        created_at -> Timestamp,
        confirmed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    export_file (id) {
        id -> BigInt,
        kind -> Text,
        airline_id -> BigInt,
        day -> Date,
        row_count -> BigInt,
        byte_count -> BigInt,
        sha256 -> Text,
        totals -> Text,
        anchor -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    commission_rule (id) {
        id -> BigInt,
        code -> Text,
        version -> BigInt,
        effective_from -> Date,
        agency_id -> Nullable<BigInt>,
        agency_tier -> Nullable<Text>,
        airline_id -> Nullable<BigInt>,
        carrier -> Nullable<Text>,
        origin -> Nullable<Text>,
        destination -> Nullable<Text>,
        direction -> Text,
        booking_classes -> Nullable<Text>,
        passenger_type -> Nullable<Text>,
        sale_from -> Nullable<Date>,
        sale_until -> Nullable<Date>,
        travel_from -> Nullable<Date>,
        travel_until -> Nullable<Date>,
        kind -> Text,
        rate -> Nullable<Text>,
        amount_minor -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    commission_rule_book (id) {
        id -> BigInt,
        generation -> BigInt,
    }
}

diesel::table! {
    held_order (id) {
        id -> BigInt,
        offer -> Text,
        payment_required_by -> Timestamp,
        price_guaranteed_until -> Nullable<Timestamp>,
        state -> Text,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    held_seat (order_id, seat_bucket_id) {
        order_id -> BigInt,
        seat_bucket_id -> BigInt,
        seats -> BigInt,
    }
}

diesel::table! {
    order_payment (id) {
        id -> BigInt,
        order_id -> BigInt,
        agency_id -> BigInt,
        kind -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    event (node, id) {
        node -> BigInt,
        id -> BigInt,
        kind -> Text,
        object_id -> Text,
        sequence -> BigInt,
        agency_id -> Nullable<BigInt>,
        airline_id -> Nullable<BigInt>,
        facility_id -> Nullable<BigInt>,
        refs -> Text,
        request_id -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    event_cursor (node) {
        node -> BigInt,
        last_event_id -> BigInt,
    }
}

diesel::table! {
    event_head (id) {
        id -> BigInt,
    }
}

diesel::table! {
    event_feed (organisation_id, position) {
        organisation_id -> BigInt,
        position -> BigInt,
        node -> BigInt,
        event_id -> BigInt,
    }
}

diesel::table! {
    airline_take_back (id) {
        id -> BigInt,
        ticket_id -> BigInt,
        airline_id -> BigInt,
        advance_id -> Nullable<BigInt>,
        reference_id -> BigInt,
        currency -> Text,
        amount_minor -> BigInt,
        unpaid_minor -> BigInt,
        on_its_way_minor -> BigInt,
        beyond_minor -> BigInt,
        created_at -> Timestamp,
        resolved_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    refund_application (id) {
        id -> BigInt,
        order_id -> BigInt,
        agency_id -> BigInt,
        kind -> Text,
        status -> Text,
        tender -> Text,
        currency -> Text,
        fare_minor -> BigInt,
        tax_minor -> BigInt,
        penalty_minor -> BigInt,
        refund_minor -> BigInt,
        reason -> Nullable<Text>,
        expires_at -> Timestamp,
        created_at -> Timestamp,
        applied_at -> Nullable<Timestamp>,
        due_at -> Nullable<Timestamp>,
        overdue_at -> Nullable<Timestamp>,
        decided_at -> Nullable<Timestamp>,
        decided_by_key_id -> Nullable<BigInt>,
        decision_note -> Nullable<Text>,
        short_minor -> Nullable<BigInt>,
        completed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    refund_ticket (id) {
        id -> BigInt,
        application_id -> BigInt,
        ticket_id -> BigInt,
        fare_minor -> BigInt,
        tax_minor -> BigInt,
        penalty_minor -> BigInt,
        airline_minor -> BigInt,
        authority_minor -> BigInt,
        commission_minor -> BigInt,
        fee_minor -> BigInt,
        cycle -> Nullable<Text>,
        posted_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    refund_coupon (id) {
        id -> BigInt,
        refund_id -> BigInt,
        coupon_id -> BigInt,
        number -> BigInt,
        fare_minor -> BigInt,
        tax_minor -> BigInt,
        penalty_minor -> BigInt,
        penalty_rate -> Nullable<Text>,
        commission_minor -> BigInt,
        fee_minor -> BigInt,
    }
}

diesel::table! {
    refund_tax (id) {
        id -> BigInt,
        refund_id -> BigInt,
        coupon_id -> BigInt,
        code -> Text,
        payee -> Text,
        remitter -> Text,
        minor -> BigInt,
    }
}

diesel::table! {
    attachment (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        file_name -> Text,
        media_type -> Text,
        byte_count -> BigInt,
        sha256 -> Text,
        wrapped_key -> Binary,
        created_at -> Timestamp,
    }
}

diesel::table! {
    refund_evidence (id) {
        id -> BigInt,
        application_id -> BigInt,
        attachment_id -> BigInt,
    }
}

diesel::table! {
    order_change_request (id) {
        id -> BigInt,
        order_id -> BigInt,
        agency_id -> BigInt,
        removed -> Text,
        added -> Text,
        offer_count -> BigInt,
        offers -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    order_change (id) {
        id -> BigInt,
        order_id -> BigInt,
        agency_id -> BigInt,
        offer_id -> BigInt,
        currency -> Text,
        new_total_minor -> BigInt,
        penalty_minor -> BigInt,
        change_minor -> BigInt,
        expires_at -> Timestamp,
        created_at -> Timestamp,
        confirmed_at -> Nullable<Timestamp>,
        voided_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    ticket_exchange (ticket_id) {
        ticket_id -> BigInt,
        given_in_ticket_id -> BigInt,
        order_change_id -> BigInt,
        penalty_minor -> BigInt,
        given_in_minor -> BigInt,
        airline_minor -> BigInt,
        authority_minor -> BigInt,
        commission_minor -> BigInt,
        fee_minor -> BigInt,
        cycle -> Nullable<Text>,
        given_in_cycle -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    webhook (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        agency_id -> Nullable<BigInt>,
        url -> Text,
        events -> Text,
        status -> Text,
        secret -> Binary,
        old_secret -> Nullable<Binary>,
        old_secret_until -> Nullable<Timestamp>,
        failing_since -> Nullable<Timestamp>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    webhook_delivery (id) {
        id -> BigInt,
        webhook_id -> BigInt,
        organisation_id -> BigInt,
        node -> BigInt,
        event_id -> BigInt,
        kind -> Text,
        object_id -> Text,
        sequence -> BigInt,
        state -> Text,
        attempts -> BigInt,
        due_at -> Timestamp,
        retried_since -> Timestamp,
        created_at -> Timestamp,
        done_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    webhook_attempt (delivery_id, attempt) {
        delivery_id -> BigInt,
        attempt -> BigInt,
        at -> Timestamp,
        latency_ms -> BigInt,
        response_status -> Nullable<BigInt>,
        response_excerpt -> Nullable<Text>,
        error -> Nullable<Text>,
    }
}

diesel::table! {
    request_log (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        key_id -> BigInt,
        at -> Timestamp,
        method -> Text,
        path -> Text,
        status -> BigInt,
        error_code -> Nullable<Text>,
        latency_us -> BigInt,
        request_id -> Text,
        idempotency_digest -> Nullable<Text>,
    }
}

diesel::table! {
    incentive_programme (id) {
        id -> BigInt,
        name -> Text,
        agency_id -> Nullable<BigInt>,
        agency_tier -> Nullable<Text>,
        airline_id -> BigInt,
        currency -> Text,
        period -> Text,
        measure -> Text,
        method -> Text,
        funder -> Text,
        airline_return -> Nullable<Text>,
        effective_from -> Date,
        effective_until -> Nullable<Date>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    incentive_tier (programme_id, threshold) {
        programme_id -> BigInt,
        threshold -> BigInt,
        rate -> Nullable<Text>,
        amount_minor -> Nullable<BigInt>,
    }
}

diesel::table! {
    incentive_cursor (id) {
        id -> BigInt,
        programme_id -> BigInt,
        node -> BigInt,
        last_posting_id -> BigInt,
    }
}

diesel::table! {
    incentive_period (id) {
        id -> BigInt,
        programme_id -> BigInt,
        agency_id -> BigInt,
        currency -> Text,
        starts_on -> Date,
        measured -> BigInt,
        accrued_minor -> BigInt,
        cycle -> Nullable<Text>,
        posting_id -> Nullable<BigInt>,
        created_at -> Timestamp,
        settled_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    incentive_accrual (id) {
        id -> BigInt,
        period_id -> BigInt,
        ticket_id -> BigInt,
        kind -> Text,
        measured -> BigInt,
        amount_minor -> BigInt,
        caused_by_id -> BigInt,
        posting_id -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    base_rate (id) {
        id -> BigInt,
        currency -> Text,
        name -> Text,
        effective_from -> Date,
        effective_until -> Nullable<Date>,
        rate -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    facility_limit (id) {
        id -> BigInt,
        facility_id -> BigInt,
        effective_from -> Date,
        limit_minor -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    facility_sublimit (id) {
        id -> BigInt,
        facility_id -> BigInt,
        airline_id -> BigInt,
        limit_minor -> BigInt,
        used_minor -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    facility_correction (id) {
        id -> BigInt,
        facility_id -> BigInt,
        number -> BigInt,
        cause -> Text,
        reference_id -> BigInt,
        moved_minor -> BigInt,
        from_day -> Date,
        until_day -> Date,
        scaled -> Text,
        total_scaled -> Text,
        commitment_scaled -> Text,
        commitment_total_scaled -> Text,
        booked_minor -> BigInt,
        commitment_booked_minor -> BigInt,
        posting_id -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    approval (id) {
        id -> BigInt,
        kind -> Text,
        subject -> Text,
        payload -> Text,
        basis -> Text,
        digest -> Binary,
        reason -> Text,
        organisation_id -> BigInt,
        key_id -> BigInt,
        submitted_at -> Timestamp,
        expires_at -> Timestamp,
        status -> Text,
        decided_key_id -> Nullable<BigInt>,
        decided_at -> Nullable<Timestamp>,
        note -> Nullable<Text>,
        result -> Nullable<Text>,
        user_id -> Nullable<BigInt>,
        decided_user_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    loss_provision (id) {
        id -> BigInt,
        agency_id -> BigInt,
        currency -> Text,
        day -> Date,
        cause -> Text,
        exposure_minor -> BigInt,
        rate -> Text,
        allowance_minor -> BigInt,
        booked_minor -> BigInt,
        posting_id -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    airline_cap (id) {
        id -> BigInt,
        airline_id -> BigInt,
        currency -> Text,
        effective_from -> Date,
        cap_minor -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    airline_alarm (id) {
        id -> BigInt,
        airline_id -> BigInt,
        currency -> Text,
        percent -> BigInt,
    }
}

diesel::table! {
    guarantee (id) {
        id -> BigInt,
        agency_id -> BigInt,
        kind -> Text,
        issuer -> Text,
        currency -> Text,
        amount_minor -> BigInt,
        haircut -> Text,
        counted_minor -> BigInt,
        called_minor -> BigInt,
        effective_from -> Date,
        expires_on -> Date,
        attachment_id -> BigInt,
        created_at -> Timestamp,
        released_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    payee_change (id) {
        id -> BigInt,
        airline_id -> BigInt,
        former_account -> Text,
        former_name -> Text,
        payee_account -> Text,
        payee_name -> Text,
        approval_id -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    temporary_limit (id) {
        id -> BigInt,
        agency_id -> BigInt,
        currency -> Text,
        amount_minor -> BigInt,
        effective_from -> Date,
        effective_until -> Date,
        approval_id -> BigInt,
        created_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    limit_review (id) {
        id -> BigInt,
        agency_id -> BigInt,
        currency -> Text,
        capacity_minor -> BigInt,
        reporting_days -> BigInt,
        remittance_days -> BigInt,
        reviewed_on -> Date,
        created_at -> Timestamp,
    }
}

diesel::table! {
    limit_alert (id) {
        id -> BigInt,
        agency_id -> BigInt,
        percent -> BigInt,
        currency -> Text,
        exposure_minor -> BigInt,
        limit_minor -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    payout (id) {
        id -> BigInt,
        agency_id -> BigInt,
        purpose -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        value_date -> Date,
        reference -> Text,
        posting_id -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    kill_switch (id) {
        id -> BigInt,
        agency_id -> Nullable<BigInt>,
        airline_id -> Nullable<BigInt>,
        facility_id -> Nullable<BigInt>,
        scopes -> Text,
        grounds -> Text,
        reason -> Text,
        organisation_id -> BigInt,
        key_id -> BigInt,
        created_at -> Timestamp,
        approval_id -> Nullable<BigInt>,
        lifted_at -> Nullable<Timestamp>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    setting,
    node,
    organisation,
    agency,
    api_key,
    airline,
    stock_range,
    contract,
    limit_policy,
    facility,
    facility_slice,
    base_rate,
    facility_limit,
    facility_sublimit,
    facility_correction,
    loss_provision,
    airline_cap,
    airline_alarm,
    payee_change,
    guarantee,
    temporary_limit,
    limit_review,
    limit_alert,
    payout,
    kill_switch,
    account,
    posting,
    entry,
    hold,
    seal,
    bank_receipt,
    idempotency_key,
    offer_request,
    offer_pricing,
    private_fare,
    seat_bucket,
    air_order,
    passenger,
    person_key,
    ticket,
    ticket_tax,
    coupon,
    ticket_document,
    coupon_event,
    coupon_status_file,
    coupon_status_line,
    schedule_change,
    airline_change,
    airline_change_segment,
    advance,
    advance_attempt,
    outbox,
    audit_event,
    order_cancellation,
    airline_claim,
    claim_settlement,
    facility_accrual,
    bank_payment,
    cash_transfer,
    export_file,
    commission_rule,
    commission_rule_book,
    held_order,
    held_seat,
    order_payment,
    event,
    event_cursor,
    event_head,
    event_feed,
    webhook,
    webhook_delivery,
    webhook_attempt,
    request_log,
    airline_take_back,
    attachment,
    refund_application,
    refund_coupon,
    refund_evidence,
    refund_tax,
    refund_ticket,
    order_change_request,
    order_change,
    ticket_exchange,
    incentive_programme,
    incentive_tier,
    incentive_cursor,
    incentive_period,
    incentive_accrual,
    approval,
    role,
    app_user,
    session,
    second_factor,
    invitation,
    password_reset,
);

diesel::joinable!(api_key -> organisation (organisation_id));
diesel::joinable!(facility_slice -> facility (facility_id));

diesel::table! {
    cycle_settlement (id) {
        id -> BigInt,
        agency_id -> BigInt,
        currency -> Text,
        cycle -> Text,
        kind -> Text,
        amount_minor -> BigInt,
        commission_minor -> BigInt,
        receipt_id -> Nullable<BigInt>,
        day -> Date,
        posting_id -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    obligation (id) {
        id -> BigInt,
        agency_id -> BigInt,
        currency -> Text,
        cycle -> Text,
        contract_id -> Nullable<BigInt>,
        statement_id -> BigInt,
        billed_minor -> BigInt,
        closed_on -> Date,
        due_on -> Date,
        late_rate_e8 -> BigInt,
        financing_rate_e8 -> BigInt,
        free_days -> BigInt,
        state -> Text,
        state_since -> Date,
        charged_through -> Nullable<Date>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    obligation_charge (id) {
        id -> BigInt,
        obligation_id -> BigInt,
        kind -> Text,
        day -> Date,
        balance_minor -> BigInt,
        total_scaled -> Text,
        total_booked_minor -> BigInt,
        booked_minor -> BigInt,
        posting_id -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    credit_payout (id) {
        id -> BigInt,
        agency_id -> BigInt,
        currency -> Text,
        cycle -> Text,
        amount_minor -> BigInt,
        value_date -> Date,
        bank_reference -> Text,
        posting_id -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    billing_statement (id) {
        id -> BigInt,
        agency_id -> BigInt,
        currency -> Text,
        cycle -> Text,
        place -> Text,
        place_id -> BigInt,
        line_count -> BigInt,
        gross_minor -> BigInt,
        commission_minor -> BigInt,
        byte_count -> Nullable<BigInt>,
        sha256 -> Nullable<Text>,
        created_at -> Timestamp,
        closed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    statement_line (id) {
        id -> BigInt,
        statement_id -> BigInt,
        kind -> Text,
        document -> Text,
        booking_reference -> Text,
        day -> Date,
        gross_minor -> BigInt,
        commission_minor -> BigInt,
    }
}

diesel::table! {
    job (name) {
        name -> Text,
        fence -> BigInt,
        holder -> Text,
        leased_until -> Timestamp,
        caught_up_to -> Timestamp,
    }
}

diesel::table! {
    job_run (id) {
        id -> BigInt,
        job -> Text,
        cause -> Text,
        scheduled_at -> Timestamp,
        occurrences -> BigInt,
        ledger_date -> Date,
        state -> Text,
        step -> Nullable<Text>,
        progress -> BigInt,
        attempts -> BigInt,
        node -> Nullable<BigInt>,
        fence -> Nullable<BigInt>,
        requested_by -> Nullable<BigInt>,
        error -> Nullable<Text>,
        retry_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    agency_default (id) {
        id -> BigInt,
        agency_id -> BigInt,
        currency -> Text,
        reason -> Text,
        declared_on -> Date,
        owed_minor -> BigInt,
        commission_minor -> BigInt,
        wallet_minor -> BigInt,
        deposit_minor -> BigInt,
        guarantee_minor -> BigInt,
        written_off_minor -> BigInt,
        recovered_minor -> BigInt,
        write_off_approval_id -> Nullable<BigInt>,
        reinstate_approval_id -> Nullable<BigInt>,
        created_at -> Timestamp,
        written_off_at -> Nullable<Timestamp>,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    billing_contact (id) {
        id -> BigInt,
        agency_id -> BigInt,
        email -> Text,
        language -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    dunning_message (id) {
        id -> BigInt,
        obligation_id -> BigInt,
        agency_id -> BigInt,
        step -> Text,
        language -> Text,
        recipient -> Text,
        message_id -> Text,
        subject -> Text,
        body -> Text,
        state -> Text,
        error -> Nullable<Text>,
        created_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    memo (id) {
        id -> BigInt,
        number -> Text,
        kind -> Text,
        agency_id -> BigInt,
        airline_id -> BigInt,
        currency -> Text,
        claimed_minor -> BigInt,
        fee_minor -> BigInt,
        reason -> Text,
        status -> Text,
        version -> BigInt,
        answer_by -> Nullable<Timestamp>,
        left_secs -> Nullable<BigInt>,
        unanswered_at -> Nullable<Timestamp>,
        decided_minor -> Nullable<BigInt>,
        paid_minor -> BigInt,
        cycle -> Nullable<Text>,
        posting_id -> Nullable<BigInt>,
        approval_id -> Nullable<BigInt>,
        created_at -> Timestamp,
        decided_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    memo_ticket (id) {
        id -> BigInt,
        memo_id -> BigInt,
        ticket_id -> BigInt,
        amount_minor -> BigInt,
    }
}

diesel::table! {
    memo_step (id) {
        id -> BigInt,
        memo_id -> BigInt,
        version -> BigInt,
        step -> Text,
        reason -> Nullable<Text>,
        note -> Nullable<Text>,
        organisation_id -> BigInt,
        key_id -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    memo_evidence (id) {
        id -> BigInt,
        step_id -> BigInt,
        attachment_id -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(memo, memo_ticket, memo_step, memo_evidence, ticket);

diesel::table! {
    cash_proof (id) {
        id -> BigInt,
        account -> Text,
        currency -> Text,
        date -> Date,
        state -> Text,
        ledger_minor -> BigInt,
        bank_minor -> BigInt,
        in_transit_minor -> BigInt,
        unmatched_receipts_minor -> BigInt,
        bank_fees_minor -> BigInt,
        unexplained_minor -> BigInt,
        last_entry_id -> BigInt,
        error -> Nullable<Text>,
        created_at -> Timestamp,
        proven_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    cash_item (id) {
        id -> BigInt,
        account -> Text,
        currency -> Text,
        kind -> Text,
        side -> Text,
        bank_reference -> Text,
        posting_id -> Nullable<BigInt>,
        amount_minor -> BigInt,
        since -> Date,
        cleared_on -> Nullable<Date>,
    }
}

diesel::table! {
    score_card (id) {
        id -> BigInt,
        currency -> Text,
        version -> BigInt,
        effective_from -> Date,
        body -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    risk_event (id) {
        id -> BigInt,
        agency_id -> BigInt,
        kind -> Text,
        subject_id -> BigInt,
        day -> Date,
        created_at -> Timestamp,
    }
}

diesel::table! {
    financial_review (id) {
        id -> BigInt,
        agency_id -> BigInt,
        result -> Text,
        reviewed_on -> Date,
        valid_until -> Date,
        created_at -> Timestamp,
    }
}

diesel::table! {
    agency_day (agency_id, day) {
        agency_id -> BigInt,
        day -> Date,
        tickets -> BigInt,
        sold_minor -> BigInt,
        credit_minor -> BigInt,
        night -> BigInt,
        near_departure -> BigInt,
        voided -> BigInt,
        refunded -> BigInt,
    }
}

diesel::table! {
    agency_day_part (agency_id, day, kind, part) {
        agency_id -> BigInt,
        day -> Date,
        kind -> Text,
        part -> Text,
        tickets -> BigInt,
    }
}

diesel::table! {
    score (id) {
        id -> BigInt,
        agency_id -> BigInt,
        as_of -> Date,
        taken_at -> Timestamp,
        cause -> Text,
        score_card_id -> BigInt,
        inputs -> Text,
        points -> BigInt,
        grade -> Text,
        multiplier -> Text,
        cap_minor -> Nullable<BigInt>,
        risk_history -> Text,
        status -> Text,
    }
}

diesel::table! {
    velocity_rule (id) {
        id -> BigInt,
        code -> Text,
        version -> BigInt,
        effective_from -> Date,
        mode -> Text,
        terms -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    velocity_hit (id) {
        id -> BigInt,
        rule_id -> BigInt,
        agency_id -> BigInt,
        key_id -> BigInt,
        airline_id -> BigInt,
        route -> Text,
        order_id -> Nullable<BigInt>,
        reached -> BigInt,
        most -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(agency, score);

diesel::table! {
    role (organisation_kind, name) {
        organisation_kind -> Text,
        name -> Text,
        permissions -> Text,
    }
}

diesel::table! {
    app_user (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        email -> Text,
        name -> Text,
        locale -> Text,
        roles -> Text,
        status -> Text,
        password_hash -> Text,
        password_changed_at -> Timestamp,
        created_at -> Timestamp,
    }
}

diesel::table! {
    session (id) {
        id -> BigInt,
        user_id -> BigInt,
        token_digest -> Binary,
        device -> Text,
        address -> Text,
        created_at -> Timestamp,
        seen_at -> Timestamp,
        expires_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    sign_in_failure (email_digest) {
        email_digest -> Text,
        failures -> BigInt,
        last_at -> Timestamp,
        locked_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    second_factor (id) {
        id -> BigInt,
        user_id -> BigInt,
        sealed_secret -> Binary,
        last_step -> BigInt,
        created_at -> Timestamp,
        confirmed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    recovery_code (id) {
        id -> BigInt,
        user_id -> BigInt,
        code_digest -> Binary,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    invitation (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        email -> Text,
        locale -> Text,
        roles -> Text,
        token_digest -> Binary,
        invited_by -> BigInt,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        accepted_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
        user_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    password_reset (id) {
        id -> BigInt,
        user_id -> BigInt,
        token_digest -> Binary,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    letter (id) {
        id -> BigInt,
        kind -> Text,
        recipient -> Text,
        subject -> Text,
        sealed_body -> Nullable<Binary>,
        state -> Text,
        error -> Nullable<Text>,
        created_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
        sealed_html -> Nullable<Binary>,
        language -> Nullable<Text>,
        attachment -> Nullable<Text>,
        attachment_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    money_confirmation (id) {
        id -> BigInt,
        user_id -> BigInt,
        business -> Text,
        payee -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        code_digest -> Text,
        attempts -> BigInt,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::joinable!(app_user -> organisation (organisation_id));
diesel::joinable!(session -> app_user (user_id));
